"""What every plot is: what it is drawn from, and where it stands on a report's page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from matplotlib.figure import Figure

from visionmtl.report.plots.chart import Chart
from visionmtl.tasks import Task


class RunPlot:
    """A plot of a whole run, `plots/<name>.png`, named as its file.

    Attributes:
        rank: its place among the others on a report's page, lower ones first.
        split: on which that was measured, which the figure is made to say; "" where it says so by itself.
    """

    rank: ClassVar[int]
    split: ClassVar[str] = ""

    def draw(self, run: Path) -> Figure | None:
        """Return the figure, drawn from what a run folder holds, or None where that has nothing to show."""
        raise NotImplementedError

    def charts(self, run: Path) -> Sequence[Chart]:
        """Return the same as lines that a page draws; none where the figure is no lines, or has nothing to show."""
        return ()


class TaskPlot:
    """Plots of what was measured of one task, `plots/<task>_<name>.png`."""

    def draw(
        self, task: Task, values: Mapping[str, float], charts: Mapping[str, np.ndarray]
    ) -> Iterator[tuple[str, Figure]]:
        """Yield the name of each figure with it; none where this task has nothing to show of that kind.

        Args:
            task: what was measured.
            values: its metrics, with those of single classes: `{"AP": 0.3, "AP/van": 0.1}`.
            charts: what `Task.charts` returns.
        """
        raise NotImplementedError

    def charts(self, classes: Sequence[str], measured: Mapping[str, np.ndarray], split: str) -> Sequence[Chart]:
        """Return the same as lines that a page draws; none where the figure is no lines, or has nothing to show.

        Args:
            classes: C names.
            measured: what `Task.charts` returned.
            split: on which.
        """
        return ()
