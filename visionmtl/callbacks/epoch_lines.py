"""The lines that a training prints, one an epoch: figures of each task below its name, no wider than a terminal."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LONGEST = 24  # letters of a task's or metric's name
GAP = "  "


class Column(NamedTuple):
    """What is told under one title: values side by side, each under its own name.

    Attributes:
        title: above all of them.
        names: of the values.
        widths: of the values, in letters.
    """

    title: str
    names: tuple[str, ...]
    widths: tuple[int, ...]

    def line(self, values: Sequence[str]) -> str:
        """Return the values, each at the right of its place, as wide as the title at least."""
        placed = " ".join(value.rjust(width) for value, width in zip(values, self.widths, strict=True))
        return placed.rjust(len(self.title))


def column(title: str, **widths: int) -> Column:
    """Return a column of values by name, each as wide as its name at least; long names are cut."""
    names = tuple(_cut(name) for name in widths)
    return Column(_cut(title), names, tuple(max(len(n), w) for n, w in zip(names, widths.values(), strict=True)))


class EpochLines:
    """Columns side by side, in as many lines as it takes.

    Args:
        columns: from left to right.
        width: letters of a line at most, where no column alone is wider.
    """

    def __init__(self, columns: Sequence[Column], width: int = 80):
        self.columns = columns
        self.parted: list[list[int]] = [[]]  # which columns stand in each line
        used = 0
        for place, each in enumerate(columns):
            wide = len(each.line(each.names)) + len(GAP)
            if self.parted[-1] and used + wide - len(GAP) > width:
                self.parted.append([])
                used = len(GAP)  # further lines are indented
            self.parted[-1].append(place)
            used += wide

    @property
    def header(self) -> str:
        """The titles, and the names of the values below them."""
        titles = [each.title.ljust(len(each.line(each.names))) for each in self.columns]
        return "\n".join(
            f"{above}\n{below}"
            for above, below in zip(
                self._parted(titles), self._parted([each.line(each.names) for each in self.columns]), strict=True
            )
        )

    def row(self, values: Sequence[Sequence[str]]) -> str:
        """Return an epoch's values: of each column as many as it has names."""
        return "\n".join(self._parted([each.line(own) for each, own in zip(self.columns, values, strict=True)]))

    def _parted(self, cells: Sequence[str]) -> list[str]:
        lines = [GAP.join(cells[place] for place in places) for places in self.parted]
        return [(GAP * (number > 0) + line).rstrip() for number, line in enumerate(lines)]


def figure(values: Mapping[str, float], name: str) -> str:
    """Return a value as it is shown: three decimals, "-" where it is not a number, nothing where there is none.

    Example:
        >>> logs = {"loss": 1.25, "AP": float("nan"), "scale": 123456.0}
        >>> figure(logs, "loss"), figure(logs, "AP"), figure(logs, "mIoU"), figure(logs, "scale")
        ('1.250', '-', '', '1.2e+05')
    """
    if name not in values:
        return ""
    value = float(values[name])
    if math.isnan(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.1e}"


def bar(fraction: float, width: int) -> str:
    """Return a bar of so many letters, full to a fraction.

    Example:
        >>> bar(0.5, 10)
        '[====----]'
    """
    inside = width - 2
    full = round(min(max(fraction, 0), 1) * inside)
    return f"[{'=' * full}{'-' * (inside - full)}]"


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
