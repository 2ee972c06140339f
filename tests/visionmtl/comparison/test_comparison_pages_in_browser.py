"""The pages of comparisons, affinities and studies in a real browser: whole at any width, read by mouse and keys."""

import browsers
import comparisons
import numpy as np
import optuna
import pytest
from affinity_records import record
from report_pages import assert_whole

from visionmtl import recipe as recipes
from visionmtl.comparison import verdicts
from visionmtl.comparison.affinity import figures
from visionmtl.comparison.affinity import page as affinity_page
from visionmtl.comparison.tuning import charts as study_charts
from visionmtl.comparison.tuning import page as study_page
from visionmtl.comparison.tuning.asking import Asked

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browsers.CHROMIUM is None, reason="there is no chromium"),
]
LONG = "a-task-of-<b>a very & long name"


def compared(folder):
    verdicts.write(comparisons.written(folder, comparisons.large(20)))
    return folder / "comparison.html"


def looked_at(folder):
    records = {0: record([f"{LONG} {number}" for number in range(5)])}
    found = {"recipe": "garments", "recipes": True, "command": "visionmtl affinity garments"}
    return affinity_page.write(folder, found | figures.figures(records, 2), records)


def searched(folder):
    rate = optuna.distributions.FloatDistribution(1e-4, 1e-2, log=True)
    method = optuna.distributions.CategoricalDistribution(["equal", "pcgrad", "a method of a long name"])
    trials = []
    for number in range(12):
        params = {"training.learning_rate": 1e-4 * 1.4**number, "balancing.method": method.choices[number % 3]}
        distributions = {"training.learning_rate": rate, "balancing.method": method}
        trial = optuna.create_trial(params=params, distributions=distributions, values=[number % 5 / 5, number % 7 / 7])
        trial.number = number
        trials.append(trial)
    asked = Asked(["training.learning_rate=1e-4..1e-2"], ["val_a", "min:val_b"])
    rows = [[trial.number, "done", *trial.values] for trial in trials]
    charts = study_charts.drawn(asked, trials, {})
    header, why = ["trial", "end", *asked.logs], {3: "It was <b>NaN."}
    return study_page.write(folder, asked, recipes.load("garments"), header, rows, {}, charts, why)


WRITTEN = {compared: 9, looked_at: 2, searched: 7}  # and how many charts each has


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Each page, written once."""
    return {write: write(tmp_path_factory.mktemp(write.__name__)) for write in WRITTEN}


@pytest.fixture
def page(tmp_path):
    with browsers.browser(tmp_path / "profile") as page:
        yield page


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("write", WRITTEN)
def test_a_page_is_whole_at_any_width_and_asks_for_nothing(page, files, write, width, dark):
    assert_whole(page, files[write], width, dark, WRITTEN[write])


@pytest.mark.parametrize("width", [390, 1400])
def test_names_of_pairs_lie_on_no_other_column(page, files, width):
    page.open(f"file://{files[looked_at]}", width)
    wide = "[...document.querySelectorAll('.pairs td')].filter(each => each.scrollWidth > each.clientWidth + 1).length"
    assert page.run(wide) == 0


def test_a_point_is_told_by_mouse_and_by_keys_and_a_part_is_enlarged(page, files):
    page.open(f"file://{files[compared]}", 1100)
    chart = "document.querySelectorAll('.chart')[0]"
    page.wait(f"{chart}.querySelector('canvas')")
    told, scale = f"{chart}.querySelector('.told').textContent", f"(({{min, max}}) => max - min)({chart}.plot.scales.x)"
    x, y = page.run(
        f"(() => {{ {chart}.scrollIntoView({{block: 'center'}}); const {{plot}} = {chart}, point = plot.stops[0];"
        " const box = plot.over.getBoundingClientRect();"
        " return [box.left + plot.valToPos(point.x, 'x'), box.top + plot.valToPos(point.y, 'y')] })()"
    )
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    page.wait(f"{told} === {chart}.plot.stops[0].told")
    assert "delta-m" in page.run(told)
    page.run(f"{chart}.querySelector('.lines').focus()")
    page.press("ArrowRight")
    page.press("ArrowRight")
    assert page.run(f"{told} === {chart}.plot.stops[1].told")
    whole = page.run(scale)
    page.press("Enter")
    page.wait(f"{scale} < 0.6 * {whole}")
    page.press("Escape")
    page.wait(f"{scale} === {whole}")


def test_points_are_enlarged_by_a_finger_and_shown_whole_by_a_button(page, files):
    page.open(f"file://{files[compared]}", 390)
    chart = "document.querySelectorAll('.chart')[6]"
    page.wait(f"{chart}.querySelector('canvas')")
    scale, hidden = f"(({{min, max}}) => max - min)({chart}.plot.scales.x)", f"{chart}.querySelector('.whole').hidden"
    whole = page.run(scale)
    assert page.run(hidden)
    page.touch(*page.drawn(chart, *((part, 0.5) for part in (0.2, 0.4, 0.6))))
    page.wait(f"!{hidden}")
    assert page.run(scale) == pytest.approx(0.4 * whole, rel=0.02)
    page.run(f"{chart}.querySelector('.whole').click()")
    page.wait(f"{scale} === {whole} && {hidden}")


def test_a_group_is_hidden_by_its_name_and_what_is_hidden_is_not_told(page, files):
    page.open(f"file://{files[searched]}", 1100)
    chart = "document.querySelectorAll('.chart')[0]"
    page.wait(f"{chart}.querySelector('canvas')")
    name = f"{chart}.querySelectorAll('.u-legend th')[0]"
    before = page.run(f"{chart}.querySelector('canvas').toDataURL()")
    page.run(f"{name}.focus()")
    page.press(" ")
    page.wait(f"{name}.getAttribute('aria-pressed') === 'false'")
    page.wait(f"{chart}.querySelector('canvas').toDataURL() !== {before!r}")


def test_what_a_page_has_of_a_study_is_in_words_too(page, files):
    page.open(f"file://{files[searched]}", 1100)
    text = page.run("document.body.innerText")
    assert "Trial 3 failed: It was <b>NaN." in text
    assert "it takes 20" in text


def test_verdicts_are_printed_on_white_and_what_is_closed_is_open(page, files):
    page.open(f"file://{files[compared]}", 1100, dark=True)
    assert page.run("document.querySelectorAll('details:not([open])').length") > 0
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run("document.querySelectorAll('details:not([open])').length") == 0
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run("document.querySelectorAll('details:not([open])').length") > 0


@pytest.mark.parametrize("write", WRITTEN)
def test_every_column_stands_on_the_sheet_and_a_verdict_has_its_colour(page, files, write):
    page.open(f"file://{files[write]}", 718)  # of A4, in margins as browsers have them
    page.call("Emulation.setEmulatedMedia", media="print")
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run("document.documentElement.scrollWidth") <= 718
    adjusted = "[...document.querySelectorAll('.verdict')].map(each => getComputedStyle(each).printColorAdjust)"
    assert set(page.run(adjusted)) == ({"exact"} if write is compared else set())


def test_points_that_lie_nowhere_are_left_out_of_a_chart():
    from visionmtl.report.plots.points import Axis, Group, Point, Points

    nowhere, here = Point(np.nan, 1.0, "no"), Point(1.0, 2.0, "yes", upright=(np.nan, np.nan))
    axis = Axis("x", 0.0, 1.0)
    groups = [Group("a", "ink", "dot", [nowhere]), Group("b", "ink", "dot", [here])]
    chart = Points("t", "validation", axis, axis, groups)
    assert [group["name"] for group in chart.data()["groups"]] == ["b"]
    assert "upright" not in chart.data()["groups"][0]["points"][0]
    assert chart._replace(groups=chart.groups[:1]).is_empty
