"""The charts of a comparison; one file a chart.

From outside comes `write_all`. A new chart is one file with a function that returns a figure, and one line in `CHARTS`.
"""

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from visionmtl.comparison.verdicts.charts.costs import costs
from visionmtl.comparison.verdicts.charts.gains import gains
from visionmtl.comparison.verdicts.charts.tradeoffs import tradeoffs
from visionmtl.comparison.verdicts.judging import Judgement
from visionmtl.report.plots.axes import write

CHARTS: dict[str, Callable[[Judgement], Figure | None]] = {"gains": gains, "tradeoffs": tradeoffs, "costs": costs}

__all__ = ["CHARTS", "write_all"]


def write_all(judgement: Judgement, folder: Path) -> dict[str, Path]:
    """Write the charts of which a comparison has what they show into a folder; return the files by their names."""
    figures = {name: draw(judgement) for name, draw in CHARTS.items()}
    return {name: write(figure, folder / f"{name}.png") for name, figure in figures.items() if figure is not None}
