"""Points as a page draws them: what lies where on two axes, with intervals, what joins them, and words for each."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

MARKS = ("circle", "dot", "square", "up", "down", "cross")  # a circle is hollow, the others but the cross are filled


class Axis(NamedTuple):
    """One of the two axes.

    Attributes:
        title: what it is.
        low: its lower end, before a part is enlarged.
        high: its upper end.
        percent: whether a fraction is shown in percent.
        falling: whether it runs the other way, as less is better.
        logarithmic: whether it is of that scale.
        zero: whether a line is drawn at 0.
        ticks: names by their places; without any, numbers stand at round ones.
    """

    title: str
    low: float
    high: float
    percent: bool = False
    falling: bool = False
    logarithmic: bool = False
    zero: bool = False
    ticks: Mapping[float, str] = {}


class Point(NamedTuple):
    """One point.

    Attributes:
        x: where it lies.
        y: where it lies.
        told: what a reader is told who looks at it.
        label: what stands beside it, in a letter or two; "" for nothing.
        across: the ends of an interval along x; none for none.
        upright: the ends of an interval along y; none for none.
    """

    x: float
    y: float
    told: str
    label: str = ""
    across: tuple[float, float] | tuple[()] = ()
    upright: tuple[float, float] | tuple[()] = ()


class Group(NamedTuple):
    """Points that look alike, which a reader can hide.

    Attributes:
        name: what they are.
        colour: of the style sheet, as "better" or "line-0".
        mark: one of `MARKS`.
        points: itself.
    """

    name: str
    colour: str
    mark: str
    points: Sequence[Point]


class Joined(NamedTuple):
    """A line through places of a chart.

    Attributes:
        places: x and y of each.
        colour: of the style sheet.
        dashed: whether it is.
    """

    places: Sequence[tuple[float, float]]
    colour: str = "ink"
    dashed: bool = False


class Points(NamedTuple):
    """Points on two axes.

    Attributes:
        title: what is shown.
        split: on which it was measured.
        x: the axis below.
        y: the axis beside.
        groups: of points.
        joined: lines between them.
        note: a sentence that they need; "" for none.
    """

    title: str
    split: str
    x: Axis
    y: Axis
    groups: Sequence[Group]
    joined: Sequence[Joined] = ()
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is no point that lies anywhere."""
        return not any(map(_known, self._points))

    @property
    def spoken(self) -> str:
        """What is read aloud of the chart as a whole."""
        groups = ", ".join(group.name for group in self.groups)
        return f"{self.title}, {self.split}: {self.y.title or 'rows'} over {self.x.title}; {groups}"

    @property
    def _points(self) -> list[Point]:
        return [point for group in self.groups for point in group.points]

    def data(self) -> dict[str, Any]:
        """Return what JSON takes: six digits of each number; points that lie nowhere, and groups of none, left out."""
        groups = [(group, list(filter(_known, group.points))) for group in self.groups]
        return {
            "x": _axis(self.x),
            "y": _axis(self.y),
            "groups": [
                {"name": group.name, "colour": group.colour, "mark": group.mark, "points": list(map(_point, points))}
                for group, points in groups
                if points
            ],
            "joined": [
                {"places": [[_digits(x), _digits(y)] for x, y in each.places], "colour": each.colour}
                | {"dashed": each.dashed}
                for each in self.joined
            ],
        }


def ends(values: np.ndarray, margin: float = 0.08) -> tuple[float, float]:
    """Return between what an axis lies that shows all values, however few and alike."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = margin * (high - low) or 0.1 * abs(high) or 1.0
    return low - room, high + room


def staircase(
    points: np.ndarray, signs: Sequence[int], x: tuple[float, float], y: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return the corners of what the points on a Pareto front span, to the ends of the axes; nothing without a point.

    Args:
        points: those on the front, `[N, 2]`.
        signs: 1 for a coordinate of which more is better, -1 for less.
        x: the ends of its axis.
        y: the ends of its axis.
    """
    if not len(points):
        return []
    points = points[np.argsort(signs[0] * points[:, 0], kind="stable")]
    places = [(x[0] if signs[0] > 0 else x[1], float(points[0, 1]))]
    for right, height in points.tolist():
        places += [(places[-1][0], height), (right, height)]
    return [*places, (places[-1][0], y[0] if signs[1] > 0 else y[1])]


def _known(point: Point) -> bool:
    return math.isfinite(point.x) and math.isfinite(point.y)


def _axis(axis: Axis) -> dict[str, Any]:
    ticks = [[_digits(place), name] for place, name in axis.ticks.items()]
    return axis._asdict() | {"low": _digits(axis.low), "high": _digits(axis.high), "ticks": ticks}


def _point(point: Point) -> dict[str, Any]:
    ends = {
        name: [_digits(end) for end in of]
        for name, of in (("across", point.across), ("upright", point.upright))
        if of and all(map(math.isfinite, of))
    }
    return {"x": _digits(point.x), "y": _digits(point.y), "told": point.told, "label": point.label, **ends}


def _digits(value: float) -> float:
    return float(f"{float(value):.6g}")
