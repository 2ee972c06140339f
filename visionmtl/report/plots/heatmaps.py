"""Heat maps of matrices: cosines between gradients, and what a sharing scheme has learnt of how tasks share."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from visionmtl.drawing.colours import NEGATIVE, PAPER, POSITIVE
from visionmtl.report.plots.axes import INK

TONES = [tuple(tone / 255 for tone in colour) for colour in (NEGATIVE, PAPER, POSITIVE)]
READABLE = 12  # columns of a map whose cells still have room for numbers


def draw(
    axes: Axes,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    limit: float = 1.0,
    before: np.ndarray | None = None,
) -> None:
    """Fill axes with a matrix as coloured cells: blue above 0, orange below, the number in each.

    Args:
        axes: where to.
        values: `[R, C]`.
        rows: R names.
        columns: C names.
        limit: the size at which a colour is full.
        before: `[R, C]`, earlier values: what has changed since is written under each number.
    """
    colours = LinearSegmentedColormap.from_list("signed", TONES).with_extremes(bad="#DEE2E6")
    axes.imshow(values, cmap=colours, vmin=-limit, vmax=limit)
    slant = (
        {"rotation": 30, "ha": "right"} if len(columns) <= READABLE else {"rotation": 90, "va": "center", "ha": "right"}
    )
    axes.set_xticks(range(len(columns)), columns, fontsize=8, rotation_mode="anchor", **slant)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.set_xticks(np.arange(1, len(columns)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(rows)) - 0.5, minor=True)
    axes.tick_params(which="both", length=0, colors=INK)
    axes.spines[:].set_visible(False)
    axes.grid(False)
    axes.grid(which="minor", color="white", linewidth=1.5)
    for (row, column), value in np.ndenumerate(values) if len(columns) <= READABLE else ():
        text = f"{value:.2f}" if np.isfinite(value) else "?"
        ink = "white" if abs(value) > 0.6 * limit else INK
        style = {"ha": "center", "va": "center", "color": ink}
        change = math.nan if before is None else value - before[row, column]
        axes.text(column, row - (0.08 if math.isfinite(change) else 0), text, fontsize=8, **style)
        if math.isfinite(change):
            text = f"{change:+.2f}" if abs(change) >= 0.005 else "="
            axes.text(column, row + 0.25, text, fontsize=6, **style)
