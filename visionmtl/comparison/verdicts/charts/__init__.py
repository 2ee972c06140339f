"""The charts of a comparison; one file a chart.

From outside come `write_all`, which makes pictures, and `of_page`, what a page draws. A new chart is one file with a
function that returns a figure and one that returns the same as points, and a line in `CHARTS` and in `ON_PAGE`.
"""

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from visionmtl.comparison.verdicts.charts import costs, gains, tradeoffs
from visionmtl.comparison.verdicts.judging import Judgement
from visionmtl.report.plots.axes import write
from visionmtl.report.plots.points import Points

CHARTS: dict[str, Callable[[Judgement], Figure | None]] = {
    "gains": gains.gains,
    "tradeoffs": tradeoffs.tradeoffs,
    "costs": costs.costs,
}
ON_PAGE: dict[str, tuple[str, Callable[[Judgement], list[Points]]]] = {
    "Gains of every arm, with intervals": (gains.ON_PAGE, gains.panels),
    "Metric against metric, for each pair of tasks": (tradeoffs.ON_PAGE, tradeoffs.panels),
    "What delta-m costs": (costs.ON_PAGE, costs.panels),
}  # by their titles: a note, and what makes them

__all__ = ["CHARTS", "of_page", "write_all"]


def write_all(judgement: Judgement, folder: Path) -> dict[str, Path]:
    """Write the charts of which a comparison has what they show into a folder; return the files by their names."""
    figures = {name: draw(judgement) for name, draw in CHARTS.items()}
    return {name: write(figure, folder / f"{name}.png") for name, figure in figures.items() if figure is not None}


def of_page(judgement: Judgement) -> list[tuple[str, str, list[Points]]]:
    """Return what a page draws: titles, notes and charts, of those of which a comparison has what they show."""
    made = [(title, note, panels(judgement)) for title, (note, panels) in ON_PAGE.items()]
    return [(title, note, of) for title, note, of in made if of]
