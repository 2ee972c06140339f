"""Charts of a study: its values over the trials and over each key, and what no trial beats in two objectives."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from visionmtl.comparison.tuning.asking import Asked
from visionmtl.comparison.tuning.dimensions import OF, shown, text_of
from visionmtl.report.plots.axes import INK, LINES, PALE, panels_for, set_title
from visionmtl.report.plots.axes import write as write_figure

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

BEST, OTHER = LINES[1], LINES[0]
TICKS = 5  # beneath a panel
LETTERS = 24  # of choices, which stand beneath a panel without touching each other


def write(
    folder: Path, asked: Asked, trials: Sequence["FrozenTrial"], shares: Mapping[str, Mapping[str, float]]
) -> None:
    """Write the charts of trials that have ended into a folder; those of several objectives for each pair.

    Args:
        folder: where they lie.
        asked: what the study was asked.
        trials: those that have ended.
        shares: of a log, which share of its differences is a parameter's, where it is known.
    """
    done = [trial for trial in trials if trial.values and trial.state.name == "COMPLETE"]
    pruned = [trial for trial in trials if trial.values and trial.state.name == "PRUNED"]
    if not done:
        return
    for number, name in enumerate(asked.logs):
        end = f"-{name}" if len(asked.logs) > 1 else ""
        signed = asked.directions[number] == "maximize"
        _values(folder / f"values{end}.png", name, number, signed, done, pruned)
        _parameters(folder / f"parameters{end}.png", name, number, done, shares.get(name, {}))
    for one, other in itertools.combinations(range(len(asked.logs)), 2):
        _pareto(folder / f"pareto-{asked.logs[one]}-{asked.logs[other]}.png", asked, (one, other), done)


def front(values: np.ndarray, up: Sequence[bool]) -> np.ndarray:
    """Return which of N points no other one beats: bool `[N]`.

    Args:
        values: float `[N, K]`.
        up: of each of K values whether more is better.
    """
    signed = values * np.where(up, 1.0, -1.0)
    better = (signed[:, None] >= signed).all(-1) & (signed[:, None] > signed).any(-1)
    return np.logical_not(better.any(0))


def _values(path: Path, name: str, number: int, up: bool, done: Sequence[Any], pruned: Sequence[Any]) -> None:
    """Draw a log over the trials, with the best so far."""
    figure, (axes,) = panels_for(1, width=6.0)
    x = np.array([trial.number for trial in done])
    y = np.array([trial.values[number] for trial in done])
    so_far = (np.maximum if up else np.minimum).accumulate(y)
    axes.step(x, so_far, where="post", color=BEST, linewidth=1.8, label="best so far")
    axes.plot(x, y, "o", color=OTHER, markersize=5, label="done")
    if pruned:
        of_pruned = [[trial.number for trial in pruned], [trial.values[number] for trial in pruned]]
        axes.plot(*of_pruned, "x", color=PALE, markersize=5, label="pruned, at its last epoch")
    axes.set_xlabel("trial", color=INK, fontsize=8)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, fontsize=8)
    set_title(axes, name)
    write_figure(figure, path)


def _parameters(path: Path, name: str, number: int, done: Sequence[Any], shares: Mapping[str, float]) -> None:
    """Draw a log over each parameter, a panel each, those that matter most first."""
    keys = list(dict.fromkeys(key for trial in done for key in trial.params))
    keys.sort(key=lambda key: -shares.get(key, 0.0))
    figure, panels = panels_for(len(keys))
    values = [trial.values[number] for trial in done]
    limits = min(values), max(values)
    margin = 0.08 * (limits[1] - limits[0]) or 0.05
    for key, axes in zip(keys, panels, strict=True):
        of = [trial for trial in done if key in trial.params]
        drawn = [shown(trial.params)[key] for trial in of]
        places = _placed(axes, of[0].distributions[key], drawn, OF in key)
        axes.plot(places, [trial.values[number] for trial in of], "o", color=OTHER, markersize=5, alpha=0.75)
        axes.set_ylim(limits[0] - margin, limits[1] + margin)
        share = f", {shares[key]:.0%}" if key in shares else ""
        set_title(axes, f"{key.rpartition('.')[2]}{share}")
    panels[0].set_ylabel(name, color=INK, fontsize=8)
    write_figure(figure, path)


def _placed(axes: Axes, distribution: Any, drawn: Sequence[Any], weight: bool) -> Sequence[float]:
    """Give axes the scale of a parameter, and return where its values stand."""
    if hasattr(distribution, "choices"):
        names = [choice if isinstance(choice, str) else text_of(choice) for choice in distribution.choices]
        slanted = {"rotation": 30, "ha": "right"} if sum(map(len, names)) > LETTERS else {}
        axes.set_xticks(range(len(names)), names, **slanted)
        axes.set_xlim(-0.5, len(names) - 0.5)
        return [distribution.choices.index(value) for value in drawn]
    if not weight and distribution.log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        ticks = np.geomspace(distribution.low, distribution.high, TICKS)
        axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
        axes.set_xlim(distribution.low / 1.1, distribution.high * 1.1)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(TICKS, integer=isinstance(distribution.low, int)))
        if not weight:
            margin = 0.05 * (distribution.high - distribution.low)
            axes.set_xlim(distribution.low - margin, distribution.high + margin)
    return drawn


def _pareto(path: Path, asked: Asked, pair: tuple[int, int], done: Sequence[Any]) -> None:
    """Draw two objectives against each other, with the trials that none beats in both."""
    figure, (axes,) = panels_for(1, width=5.4)
    points = np.array([[trial.values[number] for number in pair] for trial in done])
    up = [asked.directions[number] == "maximize" for number in pair]
    best = front(points, up)
    if not best.all():
        axes.plot(*points[~best].T, "o", color=PALE, markersize=5, label="beaten in both")
    order = np.argsort(points[best][:, 0], kind="stable")
    axes.step(*points[best][order].T, where="pre" if up[0] else "post", color=BEST, linewidth=1.2)
    axes.plot(*points[best].T, "o", color=BEST, markersize=6, label="Pareto front")
    for trial, point, chosen in zip(done, points, best, strict=True):
        if chosen:
            axes.annotate(str(trial.number), point, (5, 4), textcoords="offset points", fontsize=8, color=INK)
    axes.set_xlabel(asked.objectives[pair[0]], color=INK, fontsize=8)
    axes.set_ylabel(asked.objectives[pair[1]], color=INK, fontsize=8)
    axes.legend(frameon=False, fontsize=8)
    set_title(axes, "Trials that no other one beats in both")
    write_figure(figure, path)
