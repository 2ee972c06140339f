"""Every plot through what a run folder, a measurement and the report's page ask of it."""

import pytest

from visionmtl.report import plots
from visionmtl.tasks import Classification


@pytest.mark.parametrize("name", plots.RUN_PLOTS)
def test_a_run_without_what_it_shows_goes_without_it(name, tmp_path):
    plot = plots.RUN_PLOTS[name]
    assert plot.draw(tmp_path) is None
    for file in ("history.csv", "gradients.csv", "sharing.csv"):
        (tmp_path / file).write_text("")
    assert plot.draw(tmp_path) is None


@pytest.mark.parametrize("name", plots.TASK_PLOTS)
def test_a_task_without_what_it_shows_goes_without_it(name):
    assert list(plots.TASK_PLOTS[name].draw(Classification("scene", 2), {"accuracy": 0.5}, {})) == []


def test_each_has_a_place_of_its_own_on_the_page():
    assert len({plot.rank for plot in plots.RUN_PLOTS.values()}) == len(plots.RUN_PLOTS)
    assert sorted(plots.page_order()) == sorted(plots.RUN_PLOTS)
