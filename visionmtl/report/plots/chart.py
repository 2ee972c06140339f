"""Lines as a page draws them: what is charted, over what, and of which split."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

MOST_POINTS = 1000  # of a line; more are averaged over neighbours


class Chart(NamedTuple):
    """Lines over one axis.

    Attributes:
        title: what the lines are.
        split: on which they were measured, as "training and validation".
        over: what the axis is, as "epoch".
        x: `[N]`, rising.
        lines: by name, `[N]` each; NaN where a line has no point.
        task: whose they are; "" where they are the whole run's.
        logarithmic: whether that scale is allowed, where it helps.
        bars: whether each point is a bar.
        note: a sentence that the lines need; "" for none.
        colours: the number of each line's colour; none for 0, 1, 2 ...
    """

    title: str
    split: str
    over: str
    x: Sequence[float] | np.ndarray
    lines: Mapping[str, Sequence[float] | np.ndarray]
    task: str = ""
    logarithmic: bool = False
    bars: bool = False
    note: str = ""
    colours: Sequence[int] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no line has a point."""
        return not any(np.isfinite(np.asarray(values, np.float64)).any() for values in self.lines.values())

    @property
    def spoken(self) -> str:
        """What is read aloud of the chart as a whole."""
        return f"{self.title}, {self.split}, over {self.over}: {', '.join(self.lines)}"

    def data(self) -> dict[str, Any]:
        """Return what JSON takes: five digits of each number, null for NaN, at most `MOST_POINTS` points a line."""
        each = -(-len(self.x) // MOST_POINTS)
        lines = {name: _thin(np.asarray(values, np.float64), each) for name, values in self.lines.items()}
        known = np.concatenate([values[np.isfinite(values)] for values in lines.values()])
        wide = len(known) and known.min() > 0 and known.max() > 12 * known.min()
        return {
            "over": self.over if each == 1 else f"{self.over}, each point the mean of {each}",
            "logarithmic": bool(self.logarithmic and wide),
            "bars": self.bars,
            "names": list(lines),
            "colours": list(self.colours) or list(range(len(lines))),
            "points": [_plain(_thin(np.asarray(self.x, np.float64), each)), *map(_plain, lines.values())],
        }


def _thin(values: np.ndarray, each: int) -> np.ndarray:
    """Return the mean of every `each` neighbours that are known; NaN where none is."""
    if each == 1:
        return values
    groups = np.pad(values, (0, -len(values) % each), constant_values=np.nan).reshape(-1, each)
    known = np.isfinite(groups)
    count = known.sum(axis=1)
    return np.divide(np.where(known, groups, 0).sum(axis=1), count, out=np.full(len(groups), np.nan), where=count > 0)


def _plain(values: np.ndarray) -> list[float | None]:
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]
