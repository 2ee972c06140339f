"""The report in a real browser: whole at any width, hovered, zoomed, sorted, dark, printed; it asks for nothing."""

import base64
import json

import browsers
import numpy as np
import pytest
from PIL import Image
from report_pages import assert_whole

from visionmtl import csvfile, report
from visionmtl.report import measured
from visionmtl.report.measured import Measured

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browsers.CHROMIUM is None, reason="there is no chromium"),
]
CHART = "document.querySelectorAll('.chart')[1]"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A report with all that one has."""
    run = tmp_path_factory.mktemp("runs") / "streets-of-a-town-with-a-long-name-1"
    (run / "samples").mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 255, (300, 900, 3), np.uint8)
    for number in range(20):
        Image.fromarray(noise).save(run / "samples" / f"{number}.png")
    rows = [{"epoch": n, "cars_loss": 9 / n, "loss": 10 / n, "val_cars_AP": n / 40} for n in range(1, 31)]
    csvfile.write(run / "history.csv", rows)
    csvfile.write(run / "gradients.csv", [{"step": n, "cosine/cars/road": 0.1 * (-1) ** n} for n in range(200)])
    names = [f"</script><b>class {number}" for number in range(12)]
    names[5] = "a" * 60
    curves = np.linspace(1, 0, 101)[:, None] * np.linspace(0.2, 1, 12)
    charts = {
        "confusion": np.diag(np.arange(1, 14)),
        "precision_recall": curves,
        "by_confidence": np.stack([curves] * 3),
    }
    charts["calibration"] = np.stack([np.arange(15), np.arange(15) * 0.5, np.arange(15) * 0.4])
    measured.keep(run, "validation", {"cars": Measured("detection", names, charts)})
    folder = run / "worst" / "validation"
    folder.mkdir(parents=True)
    rows = [{"file": f"{number}.jpg", "told": f"a/very/long/name-{number}.jpg, loss 3"} for number in range(20)]
    for row in rows:
        Image.fromarray(noise).save(folder / row["file"])
    legend = {name: [200, 100, 0] for name in names}
    orders = {"loss": rows[:10], "sure": rows[10:]}
    (folder / "worst.json").write_text(json.dumps({"cars": {"legend": legend, "orders": orders}}))
    return report.write(run)


@pytest.fixture
def page(tmp_path):
    with browsers.browser(tmp_path / "profile") as page:
        yield page


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_whole_at_any_width_and_asks_for_nothing(page, file, width, dark):
    assert file.stat().st_size < 5_000_000
    assert_whole(page, file, width, dark, charts=9)


def test_charts_are_hovered_and_zoomed_and_tables_sorted(page, file):
    page.open(f"file://{file}", 1100)
    page.wait(f"{CHART}.querySelector('canvas')")
    box = page.run(
        f"(() => {{ {CHART}.scrollIntoView({{block: 'center'}});"
        f" const box = {CHART}.querySelector('.u-over').getBoundingClientRect();"
        " return [box.left, box.top, box.width, box.height] })()"
    )
    left, top, wide, tall = box

    def mouse(kind, part, **more):
        page.call("Input.dispatchMouseEvent", type=kind, x=left + part * wide, y=top + tall / 2, **more)

    legend = f"{CHART}.querySelector('.u-legend').innerText"
    mouse("mouseMoved", 0.01)
    page.wait(f"{legend}.replace(/\\s/g, '') === 'epoch1training9'")
    before = page.run(f"{CHART}.querySelector('canvas').toDataURL()")
    scale = f"(({{min, max}}) => [min, max])({CHART}.plot.scales.y)"
    whole = page.run(scale)
    mouse("mousePressed", 0.3, button="left", clickCount=1)
    mouse("mouseMoved", 0.5, button="left", buttons=1)
    mouse("mouseReleased", 0.5, button="left", clickCount=1)
    page.wait(f"{CHART}.querySelector('canvas').toDataURL() !== {before!r}")
    least, most = page.run(scale)
    assert whole[0] < least < most < 0.2 * whole[1]  # a part that is enlarged fills the chart
    first = "document.querySelector('.sortable tbody').rows[0].cells[0].textContent"
    for expected in ("</script><b>class 11", "</script><b>class 0"):
        page.run("document.querySelectorAll('.sortable th button')[1].click()")
        assert page.run(first) == expected
    assert page.run("document.querySelectorAll('.sortable th')[1].getAttribute('aria-sort')") == "ascending"


def test_charts_are_read_and_enlarged_by_keys_and_lines_hidden(page, file):
    page.open(f"file://{file}", 1100)
    page.wait(f"{CHART}.querySelector('canvas')")
    place, scale = f"{CHART}.querySelector('.lines')", f"(({{min, max}}) => [min, max])({CHART}.plot.scales.x)"
    page.run("(() => { document.querySelectorAll('.chart .u-legend th')[1].focus() })()")
    for _ in range(20):
        if page.run(f"document.activeElement === {place}"):
            break
        page.press("Tab")
    assert page.run(f"document.activeElement === {place}")
    assert page.run(f"getComputedStyle({place}).outlineStyle") == "solid"
    assert "training" in page.run(f"{place}.getAttribute('aria-label')")
    for _ in range(3):
        page.press("ArrowRight")
    assert page.run(f"{CHART}.querySelector('.told').textContent") == "epoch 3, training 3"
    assert page.run(f"{CHART}.querySelector('.u-legend').innerText.replace(/\\s/g, '')") == "epoch3training3"
    whole = page.run(scale)
    page.press("Enter")
    page.wait(f"{scale}[1] < {whole[1]} / 2 + 4")
    page.press("Escape")
    page.wait(f"String({scale}) === '{whole[0]},{whole[1]}'")
    page.press("Tab")
    page.press(" ")
    page.wait(f"{place}.querySelector('[aria-pressed]').getAttribute('aria-pressed') === 'false'")


def test_charts_are_read_and_enlarged_by_a_finger_and_shown_whole_by_a_button(page, file):
    page.open(f"file://{file}", 390)
    page.wait(f"{CHART}.querySelector('canvas')")
    scale, button = f"(({{min, max}}) => [min, max])({CHART}.plot.scales.x)", f"{CHART}.querySelector('.whole')"
    whole, shown = page.run(scale), f"getComputedStyle({button}).display !== 'none'"
    assert not page.run(shown)
    page.touch(*page.drawn(CHART, (0.004, 0.5)))
    page.wait(f"{CHART}.querySelector('.u-legend').innerText.replace(/\\s/g, '') === 'epoch1training9'")
    assert page.run(scale) == whole
    page.touch(*page.drawn(CHART, *((part, 0.5) for part in (0.6, 0.5, 0.4, 0.3))))
    page.wait(shown)
    least, most = page.run(scale)
    assert (least, most) == pytest.approx([whole[0] + part * (whole[1] - whole[0]) for part in (0.3, 0.6)], abs=0.5)
    places = page.drawn(CHART, *((0.5, part) for part in (0.9, 0.6, 0.3, 0.1)))
    scrolled = page.run("scrollY")
    page.touch(*places)
    page.wait(f"scrollY > {scrolled}")  # up and down it scrolls
    assert page.run(scale) == [least, most]
    page.run(f"{button}.click()")
    page.wait(f"String({scale}) === '{whole[0]},{whole[1]}'")
    page.wait(f"!({shown})")


def test_a_worst_picture_is_enlarged_and_a_bar_says_its_count(page, file):
    page.open(f"file://{file}", 1400)
    bars = "[...document.querySelectorAll('.chart')].find(each => each.innerText.startsWith('predictions of each'))"
    page.wait(f"{bars}.querySelector('canvas')")
    picture = "document.querySelector('.small button')"
    before = page.run(f"{picture}.offsetWidth")
    page.run(f"{picture}.click()")
    assert page.run(f"{picture}.offsetWidth") > 2 * before
    left, top, wide, tall = page.run(
        f"(() => {{ {bars}.scrollIntoView({{block: 'center'}});"
        f" const box = {bars}.querySelector('.u-over').getBoundingClientRect();"
        " return [box.left, box.top, box.width, box.height] })()"
    )
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=left + 0.99 * wide, y=top + tall / 2)
    page.wait(f"{bars}.querySelector('.u-legend').innerText.replace(/\\s/g, '') === 'confidence0.9667predictions14'")


def test_a_sample_is_enlarged_to_its_size_on_a_narrow_screen_and_the_page_stays_as_wide(page, file):
    page.open(f"file://{file}", 390)
    picture = "document.querySelector('#samples button')"
    assert page.run(f"{picture}.querySelector('img').offsetWidth") < 390
    page.run(f"{picture}.click()")
    assert page.run(f"{picture}.querySelector('img').offsetWidth >= {picture}.querySelector('img').naturalWidth")
    assert page.run(f"{picture}.parentElement.scrollWidth > {picture}.parentElement.clientWidth")
    assert page.run("document.documentElement.scrollWidth") <= 390


def test_lines_of_nothing_lie_on_the_ground_and_a_single_step_in_the_middle(page, tmp_path):
    csvfile.write(tmp_path / "history.csv", [{"epoch": n, "cars_loss": 1, "val_cars_AP": 0} for n in (1, 2)])
    csvfile.write(tmp_path / "gradients.csv", [{"step": 7, "cosine/cars/road": 0.1}])
    page.open(f"file://{report.write(tmp_path)}", 1100)
    ends = "[plot.scales.x, plot.scales.y].map(of => [of.min, of.max])"
    metrics, _, cosine = page.run(f"[...document.querySelectorAll('.chart')].map(({{plot}}) => {ends})")
    assert metrics == [[1, 2], [0, 1]]
    assert cosine[0] == [6.5, 7.5]
    assert page.run("document.querySelector('.u-legend').innerText.trim()") == "AP"


def test_it_is_printed_on_white(page, file):
    page.open(f"file://{file}", 1100, dark=True)
    page.wait(f"{CHART}.querySelector('canvas')")
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.run("document.querySelectorAll('details:not([open])').length") == 0
    paper = base64.b64decode(page.call("Page.printToPDF")["data"])
    assert paper.startswith(b"%PDF")
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run("document.querySelectorAll('details:not([open])').length") > 0
    assert page.run("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"


def test_a_long_command_is_read_whole_on_a_narrow_screen(page, file):
    page.open(f"file://{file}", 390)
    commands = "[...document.querySelectorAll('#commands pre')]"
    page.run(f"{commands}.forEach(each => {{ each.textContent += ' data.path=a/long/one'.repeat(9) }})")
    assert page.run(f"{commands}.every(each => each.scrollWidth <= each.clientWidth && each.offsetHeight > 60)")


def test_names_of_classes_are_not_broken_on_a_narrow_screen(page, tmp_path):
    names = ["pedestrian", "bicyclist"]
    curves = np.stack([np.full((201, 2), 0.5)] * 3)
    outcomes = np.array([[9, 0, 1, 1], [3, 2, 1, 5]])
    charts = {"instances": np.array([10, 4]), "by_probability": curves, "outcomes": outcomes}
    measured.keep(tmp_path, "validation", {"scene": Measured("classification", names, charts)})
    page.open(f"file://{report.write(tmp_path)}", 390)
    cells = "[...document.querySelectorAll('.sortable tbody td:first-child')]"
    assert page.run(f"{cells}.map(each => each.textContent)") == names * 2
    assert page.run(f"Math.max(...{cells}.map(each => each.offsetHeight))") < 40  # of one line
    assert page.run("document.documentElement.scrollWidth") <= 390


def test_ticks_of_a_logarithmic_axis_are_round(page, tmp_path):
    rows = [{"step": n, "norm/cars": 0.02967 * 1.7**n} for n in range(8)]
    csvfile.write(tmp_path / "gradients.csv", rows)
    page.open(f"file://{report.write(tmp_path)}", 1100)
    page.wait("document.querySelector('.chart canvas')")
    assert page.run("document.querySelector('.chart').plot.scales.y.distr") == 3
    ticks = "(plot => plot.axes[1].values(plot, [0.02967, 0.05, 0.1, 0.2, 0.5, 1, null]))"
    assert page.run(f"{ticks}(document.querySelector('.chart').plot)") == ["", "0.05", "0.1", "0.2", "0.5", "1", ""]


def test_three_rows_of_charts_stand_on_a_printed_page_and_nothing_speaks_of_clicks(page, file):
    page.open(f"file://{file}", 1100)
    page.wait(f"{CHART}.querySelector('canvas')")
    page.call("Emulation.setEmulatedMedia", media="print")
    page.run("dispatchEvent(new Event('beforeprint'))")
    tall = page.run("Math.max(...[...document.querySelectorAll('.u-wrap')].map(each => each.offsetHeight))")
    assert tall == 180
    assert "a click" not in page.run("document.body.innerText")
    assert page.run("getComputedStyle(document.querySelector('.confusion')).breakInside") == "avoid"


def test_a_short_table_is_printed_on_one_sheet_and_a_long_one_says_its_columns_on_each(page, file):
    page.open(f"file://{file}", 1100)
    page.call("Emulation.setEmulatedMedia", media="print")
    inside = "getComputedStyle(document.querySelector('.sortable')).breakInside"
    assert page.run(inside) == "avoid"
    page.run("const rows = document.querySelector('.sortable tbody'); rows.innerHTML += rows.innerHTML.repeat(5)")
    assert page.run(inside) == "auto"
    assert page.run("getComputedStyle(document.querySelector('.sortable th button')).display") == "contents"
    assert page.run("getComputedStyle(document.querySelector('#commands .note')).breakAfter") == "avoid"
