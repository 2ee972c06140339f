"""The page in a real browser: a picture is chosen, and its labels, boxes and masks are seen; on a narrow screen too."""

import browsers
import pytest
import servers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browsers.CHROMIUM is None, reason="there is no chromium"),
]
STATUS = "document.getElementById('status').textContent"
TEXT = "document.getElementById('told').innerText"


@pytest.fixture
def page(tmp_path):
    with browsers.browser(tmp_path / "profile") as page:
        yield page


@pytest.fixture
def pictures(tmp_path):
    files = {"orange.png": servers.png((255, 128, 51), (40, 60)), "torn.png": b"no picture"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in files]


def colour(page, x, y):
    """The colour of the drawing, at fractions of its width and height."""
    return page.run(
        f"(() => {{ const c = document.getElementById('canvas');"
        f" return [...c.getContext('2d').getImageData({x} * c.width, {y} * c.height, 1, 1).data].slice(0, 3) }})()"
    )


def test_a_picture_is_told_of_and_drawn_on(toy, page, pictures):
    page.open(str(toy.base_url))
    page.wait("document.getElementById('about').textContent")
    page.choose(pictures[0])
    page.wait(f"{STATUS}.startsWith('Answered')")
    told = page.run(TEXT)
    for words in ("scene", "red", "1.000", "spots", "dog", "0.75", "ground", "light", "100.0 %", "range", "m"):
        assert words in told
    assert "dog" in page.run("document.getElementById('canvas').getAttribute('aria-label')")
    code = page.run("labels.tasks.spots.colours.dog")
    assert colour(page, 0.0, 0.25) in ([int(code[at : at + 2], 16) for at in (1, 3, 5)], [33, 37, 41])
    drawn = colour(page, 0.9, 0.9)
    assert page.run("[...document.querySelectorAll('#told input')].map(each => each.checked)") == [True, True, False]
    page.run("document.querySelectorAll('#told input:checked').forEach(each => each.click())")
    assert colour(page, 0.9, 0.9) == [255, 128, 51] != drawn
    assert page.complaints() == []
    assert {address.partition("?")[0] for address in page.addresses()} == {
        f"{str(toy.base_url).rstrip('/')}/{name}" for name in ("", "labels", "predict")
    }


def test_what_cannot_be_read_is_said_and_several_can_be_chosen_among(toy, page, pictures):
    page.open(str(toy.base_url))
    page.choose(pictures[1])
    page.wait(f"{STATUS}.includes('cannot be read')")
    assert page.run("document.getElementById('result').hidden")
    page.choose(*pictures)
    page.wait("!document.getElementById('chooser').hidden")
    page.run("document.getElementById('which').value = 1")
    page.run("document.getElementById('which').dispatchEvent(new Event('change'))")
    assert "cannot be read" in page.run("document.getElementById('caption').textContent")


def test_it_is_used_by_keys_alone(toy, page, pictures):
    page.open(str(toy.base_url))
    page.call("Page.setInterceptFileChooserDialog", enabled=True)
    page.press("Tab")
    assert page.run("document.activeElement.id") == "file"
    outline = "getComputedStyle(document.getElementById('drop')).outlineStyle"
    assert page.run(outline) == "solid"
    page.press("Enter")
    page.run("1")
    assert any(each.get("method") == "Page.fileChooserOpened" for each in page.events)
    page.choose(pictures[0])
    page.wait(f"{STATUS}.startsWith('Answered')")
    page.press("Tab")
    assert page.run("document.activeElement.type") == "checkbox"
    page.press(" ")
    assert page.run("document.activeElement.checked") is False


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_a_narrow_screen(toy, page, pictures, dark):
    page.open(str(toy.base_url), 320, 640, dark)
    page.choose(pictures[0])
    page.wait(f"{STATUS}.startsWith('Answered')")
    assert page.run("document.documentElement.scrollWidth") <= 320
