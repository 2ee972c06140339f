"""The charts of a study: its values over the trials, over each key, and two objectives at once."""

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from visionmtl.comparison.tuning.asking import Asked
from visionmtl.comparison.tuning.dimensions import OF, short, shown, text_of
from visionmtl.report.plots.points import Axis, Group, Joined, Point, Points, ends, staircase

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

TICKS = 5  # beneath a chart
SPLIT = "validation"  # of all objectives
BEATEN_BY_NONE = "Dashed: the trials that no other one beats in both. Numbers are theirs."
FRONT, BEATEN = ("Pareto front", "line-1", "dot"), ("beaten in both", "neither", "circle")
DONE, PRUNED = ("done", "line-0", "dot"), ("pruned, at its last epoch", "pale", "cross")


def drawn(asked: Asked, trials: Sequence["FrozenTrial"], shares: Mapping[str, Mapping[str, float]]) -> list[Points]:
    """Return the charts of trials that have ended: of each pair of objectives, of each, and of each over each key.

    Args:
        asked: what the study was asked.
        trials: those that have ended.
        shares: of a log, which share of its differences is a parameter's, where it is known.
    """
    done = sorted((each for each in trials if each.values and each.state.name == "COMPLETE"), key=_number)
    pruned = [each for each in trials if each.values and each.state.name == "PRUNED"]
    if not done:
        return []
    pairs = itertools.combinations(range(len(asked.logs)), 2)
    each = range(len(asked.logs))
    return [
        *(_pareto(asked, pair, done) for pair in pairs),
        *(_values(asked, place, done, pruned) for place in each),
        *(chart for place in each for chart in _keys(asked, place, done, shares.get(asked.logs[place], {}))),
    ]


def front(values: np.ndarray, up: Sequence[bool]) -> np.ndarray:
    """Return which of N points no other one beats: bool `[N]`.

    Args:
        values: float `[N, K]`.
        up: of each of K values whether more is better.
    """
    signed = values * np.where(up, 1.0, -1.0)
    better = (signed[:, None] >= signed).all(-1) & (signed[:, None] > signed).any(-1)
    return np.logical_not(better.any(0))


def _number(trial: "FrozenTrial") -> int:
    return trial.number


def _told(asked: Asked, trial: "FrozenTrial") -> str:
    """Return what a reader is told who looks at a trial."""
    values = [f"{log} {value:.4g}" for log, value in zip(asked.logs, trial.values, strict=True)]
    settings = [f"{key} {short(value)}" for key, value in trial.user_attrs.get("settings", {}).items()]
    return f"trial {trial.number}: {', '.join([*values, *settings])}"


def _values(asked: Asked, place: int, done: Sequence["FrozenTrial"], pruned: Sequence["FrozenTrial"]) -> Points:
    """Return a log over the trials, with the best so far."""
    log, up = asked.logs[place], asked.directions[place] == "maximize"
    values = np.array([trial.values[place] for trial in done])
    so_far = (np.maximum if up else np.minimum).accumulate(values).tolist()
    stairs = [(float(done[0].number), so_far[0])]
    for trial, value in zip(done, so_far, strict=True):
        stairs += [(float(trial.number), stairs[-1][1]), (float(trial.number), value)]
    groups = [
        Group(*look, [Point(each.number, each.values[place], _told(asked, each)) for each in of])
        for look, of in ((DONE, done), (PRUNED, pruned))
        if of
    ]
    every = [point for group in groups for point in group.points]
    last = max(point.x for point in every)
    x = Axis("trial", -0.5, last + 0.5, ticks={number: f"{number:g}" for number in _whole(last)})
    y = Axis(log, *ends(np.array([point.y for point in every])))
    return Points(log, SPLIT, x, y, groups, [Joined(stairs, "line-1")], "The line: the best so far.")


def _whole(last: float) -> list[float]:
    """Return at most ten round numbers from 0 to the last."""
    steps = (first * 10**power for power in itertools.count() for first in (1, 2, 5))
    step = next(each for each in steps if last <= 10 * each)
    return [float(number) for number in range(0, int(last) + 1, step)]


def _keys(asked: Asked, place: int, done: Sequence["FrozenTrial"], shares: Mapping[str, float]) -> list[Points]:
    """Return a log over each key, those that matter most first."""
    log = asked.logs[place]
    keys = list(dict.fromkeys(key for trial in done for key in trial.params))
    keys.sort(key=lambda key: -shares.get(key, 0.0))
    y = Axis(log, *ends(np.array([trial.values[place] for trial in done])))
    charts = []
    for key in keys:
        of = [trial for trial in done if key in trial.params]
        x, places = _placed(key, of[0].distributions[key], [shown(trial.params)[key] for trial in of])
        points = [Point(at, trial.values[place], _told(asked, trial)) for at, trial in zip(places, of, strict=True)]
        share = f", {shares[key]:.0%} of the differences" if key in shares else ""
        several = f": {log}" if len(asked.logs) > 1 else ""
        charts.append(Points(f"{key.rpartition('.')[2]}{share}{several}", SPLIT, x, y, [Group(*DONE, points)]))
    return charts


def _placed(key: str, distribution: Any, values: Sequence[Any]) -> tuple[Axis, list[float]]:
    """Return the axis of a parameter, and where its values stand."""
    if hasattr(distribution, "choices"):
        names = [each if isinstance(each, str) else text_of(each) for each in distribution.choices]
        axis = Axis(key, -0.5, len(names) - 0.5, ticks={float(place): name for place, name in enumerate(names)})
        return axis, [float(distribution.choices.index(value)) for value in values]
    numbers = [float(value) for value in values]
    if OF in key:  # a task's weight, of which what was drawn is no scale
        return Axis(key, *ends(np.array(numbers))), numbers
    low, high = float(distribution.low), float(distribution.high)
    if distribution.log:
        ticks = {float(tick): f"{tick:.2g}" for tick in np.geomspace(low, high, TICKS)}
        return Axis(key, low / 1.1, high * 1.1, logarithmic=True, ticks=ticks), numbers
    return Axis(key, *ends(np.array([low, high]), 0.05)), numbers


def _pareto(asked: Asked, pair: tuple[int, int], done: Sequence["FrozenTrial"]) -> Points:
    """Return two objectives against each other, with the trials that none beats in both."""
    points = np.array([[trial.values[place] for place in pair] for trial in done], np.float64)
    up = [asked.directions[place] == "maximize" for place in pair]
    best = front(points, up)
    x, y = ends(points[:, 0]), ends(points[:, 1])
    sides = [
        Axis(asked.logs[place] + ("" if rising else ", less is better"), *limits, falling=not rising)
        for place, rising, limits in zip(pair, up, (x, y), strict=True)
    ]
    groups = []
    for look, wanted in (FRONT, True), (BEATEN, False):
        of = [
            Point(at[0], at[1], _told(asked, trial), str(trial.number))
            for trial, at, is_best in zip(done, points.tolist(), best, strict=True)
            if is_best == wanted
        ]
        groups += [Group(*look, of)] if of else []
    stairs = Joined(staircase(points[best], [1 if rising else -1 for rising in up], x, y), "line-1", dashed=True)
    title = f"{asked.logs[pair[0]]} and {asked.logs[pair[1]]}"
    return Points(title, SPLIT, sides[0], sides[1], groups, [stairs], BEATEN_BY_NONE)
