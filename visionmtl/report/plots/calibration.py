"""How far a task's confidences can be taken at their word: what is right over what is said to be, and how often."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from visionmtl.metrics.calibration import BINS, expected_error
from visionmtl.metrics.metric import ratio
from visionmtl.report.plots.axes import INK, LINES, PALE, panels_for, set_title
from visionmtl.report.plots.chart import Chart
from visionmtl.report.plots.plot import TaskPlot
from visionmtl.tasks import Task

CENTRES = (np.arange(BINS) + 0.5) / BINS


class Calibration(TaskPlot):
    """Drawn of a task that charts "calibration"."""

    def draw(
        self, task: Task, values: Mapping[str, float], charts: Mapping[str, np.ndarray]
    ) -> Iterator[tuple[str, Figure]]:
        if "calibration" in charts and charts["calibration"].any():
            yield "calibration", calibration(charts["calibration"], f"{task.name}: ")

    def charts(self, classes: Sequence[str], measured: Mapping[str, np.ndarray], split: str) -> Sequence[Chart]:
        bins = measured.get("calibration")
        if bins is None or not bins.any():
            return ()
        count, confidence, right = bins
        lines = {"are right": ratio(right, count), "are said to be": ratio(confidence, count)}
        counts = Chart(
            "predictions of each confidence", split, "confidence", CENTRES, {"predictions": count}, bars=True
        )
        return [Chart("calibration", split, "confidence", CENTRES, lines, note=_meaning(bins)), counts]


def calibration(bins: np.ndarray, before: str = "") -> Figure:
    """Draw which fraction is right over the confidence, and how many predictions there are of each.

    Args:
        bins: `[3, BINS]`, from `metrics.calibration.binned`.
        before: begins the title.
    """
    count, confidence, right = bins
    figure, (reliability, amount) = panels_for(2)
    reliability.plot([0, 1], [0, 1], color=PALE, linewidth=1, linestyle=(0, (4, 3)))
    reliability.plot(ratio(confidence, count), ratio(right, count), color=LINES[0], marker="o", markersize=3.5)
    reliability.set_ylim(0, 1.02)
    reliability.set_ylabel("fraction that is right", fontsize=8, color=INK)
    amount.bar(CENTRES, count, width=0.9 / BINS, color=LINES[0])
    amount.set_ylabel("predictions", fontsize=8, color=INK)
    for axes in (reliability, amount):
        axes.set_xlim(0, 1)
        axes.set_xlabel("confidence", fontsize=8, color=INK)
    set_title(reliability, f"{before}{_title(bins)}")
    return figure


def _title(bins: np.ndarray) -> str:
    return f"calibration: ECE {expected_error(bins):.3f} of {int(bins[0].sum()):,}"


def _meaning(bins: np.ndarray) -> str:
    error, count = expected_error(bins), int(bins[0].sum())
    return (
        "Which share of the predictions of each confidence is right. ECE, the expected calibration error, is "
        f"{error:.3f}: so far apart are the two lines, on average over {count:,} predictions."
    )
