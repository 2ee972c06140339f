"""What a sharing scheme has learnt of how the tasks share, a heat map a matrix."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from visionmtl.callbacks import sharing_watch
from visionmtl.report.plots.axes import INK
from visionmtl.report.plots.heatmaps import READABLE, draw
from visionmtl.report.plots.plot import RunPlot
from visionmtl.sharing import Matrix

ACROSS = 10.0  # inches of maps in a row of a figure


class Sharing(RunPlot):
    """Drawn from `sharing.csv`."""

    rank = 5

    def draw(self, run: Path) -> Figure | None:
        return sharing(sharing_watch.read(run / "sharing.csv"))


def sharing(looks: Mapping[int, Mapping[str, Matrix]]) -> Figure | None:
    """Draw what a sharing scheme has learnt at the last epoch, a heat map a matrix; None without any.

    Under each number stands what has changed since the first epoch, if there were two.

    Args:
        looks: `{epoch: {title: matrix}}`, as `sharing_watch.read` returns them.
    """
    if not looks:
        return None
    first, last = min(looks), max(looks)
    places, width, height = _places(looks[last])
    figure = Figure((max(4.6, width), height))
    since = f"; below each number what changed since epoch {first}" if last > first else ""
    figure.text(
        0.15 / figure.get_figwidth(), 1 - 0.2 / height, f"after epoch {last} of training{since}", fontsize=8, color=INK
    )
    for (title, matrix), (x, y, wide, tall) in zip(looks[last].items(), places, strict=True):
        box = (x / figure.get_figwidth(), y / height, wide / figure.get_figwidth(), tall / height)
        axes = figure.add_axes(box)
        known = np.abs(matrix.values[np.isfinite(matrix.values)])
        earlier = looks[first].get(title) if last > first else None
        before = None if earlier is None or earlier.values.shape != matrix.values.shape else earlier.values
        draw(axes, matrix.values, matrix.rows, matrix.columns, float(known.max(initial=0)) or 1.0, before)
        axes.set_title(title, loc="left", fontsize=10, color=INK, fontweight="bold")
    return figure


def _places(matrices: Mapping[str, Matrix]) -> tuple[list[tuple[float, float, float, float]], float, float]:
    """Return where maps lie, in rows like words on a page: x, y, width and height of each, and of the page, in inches.

    Cells of all maps are equally large, so that maps can be compared.
    """
    letter, above, lines = 0.068, 0.6, [[0.0, 0.0]]  # a line: its length and the height of its tallest map
    boxes = []
    for title, matrix in matrices.items():
        few = len(matrix.columns) <= READABLE
        wide, tall = (0.5 if few else 0.17) * len(matrix.columns), (0.5 if few else 0.17) * len(matrix.rows)
        names, below = (letter * max(map(len, of)) for of in (matrix.rows, matrix.columns))
        room = 0.3 + names + max(wide, 1.3 * letter * len(title))
        if lines[-1][0] and lines[-1][0] + room > ACROSS:
            lines.append([0.0, 0.0])
        boxes.append((len(lines) - 1, lines[-1][0] + 0.25 + names, wide, tall))
        lines[-1][0] += room
        lines[-1][1] = max(lines[-1][1], above + tall + (0.15 + 0.5 * below if few else below))
    height = 0.25 + sum(tall for _, tall in lines)
    tops = [height - 0.25 - sum(tall for _, tall in lines[:line]) for line in range(len(lines))]
    places = [(x, tops[line] - above - tall + 0.15, wide, tall) for line, x, wide, tall in boxes]
    return places, 0.15 + max(length for length, _ in lines), height
