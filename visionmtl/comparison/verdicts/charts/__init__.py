"""The charts of a comparison, as its page draws them; one file a chart.

From outside comes `of_page`. A new chart is one file with a function that returns it as points, and a line in `CHARTS`.
"""

from collections.abc import Callable

from visionmtl.comparison.verdicts.charts import costs, gains, tradeoffs
from visionmtl.comparison.verdicts.judging import Judgement
from visionmtl.report.plots.points import Points

CHARTS: dict[str, tuple[str, Callable[[Judgement], list[Points]]]] = {
    "Gains of every arm, with intervals": (gains.NOTE, gains.panels),
    "Metric against metric, for each pair of tasks": (tradeoffs.NOTE, tradeoffs.panels),
    "What delta-m costs": (costs.NOTE, costs.panels),
}  # by their titles: a note, and what makes them

__all__ = ["CHARTS", "of_page"]


def of_page(judgement: Judgement) -> list[tuple[str, str, list[Points]]]:
    """Return what a page draws: titles, notes and charts, of those of which a comparison has what they show."""
    made = [(title, note, panels(judgement)) for title, (note, panels) in CHARTS.items()]
    return [(title, note, of) for title, note, of in made if of]
