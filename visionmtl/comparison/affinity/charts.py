"""The charts of an affinity: matrices, the tasks' tree, and cosines by level over the steps."""

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from scipy.cluster import hierarchy

from visionmtl.comparison.affinity import grouping, scores
from visionmtl.comparison.affinity.figures import LOOKAHEAD, SCORES, known
from visionmtl.comparison.affinity.look import WHOLE
from visionmtl.comparison.affinity.record import Record
from visionmtl.comparison.affinity.scores import array
from visionmtl.report.plots import heatmaps
from visionmtl.report.plots.axes import GRID, INK, LINES, draw_lines, name_split, panels_for, plain, set_title, write

SPLIT = "batches of training"  # on which all is measured
PANELS = "levels"  # the chart of many panels
BELOW = "affinity below the highest, in % of the loss"
PERCENT = {"lookahead": 100.0, "linearised": 100.0, "cosine": 1.0}  # of what each score is shown in


def write_all(folder: Path, found: Mapping[str, Any], records: Mapping[int, Record]) -> list[Path]:
    """Write all charts into a folder and return their paths, in the order in which a page shows them."""
    made: dict[str, Figure | None] = {name: matrix(found, name) for name in SCORES}
    made |= {"tree": tree(found), PANELS: levels(found, records)}
    for name in made:
        (folder / f"{name}.png").unlink(missing_ok=True)
    figures = {name: figure for name, figure in made.items() if figure is not None}
    for figure in figures.values():
        name_split(figure, SPLIT)
    return [write(figure, folder / f"{name}.png") for name, figure in figures.items()]


def matrix(found: Mapping[str, Any], name: str) -> Figure:
    """Draw a score of all pairs: rows bring, columns get; "?" where too few images are labelled for both of a pair."""
    tasks, score = found["tasks"], found["scores"][name]
    values = known(array(score["mean"]), array(found["shared"])) * PERCENT[name]
    np.fill_diagonal(values, np.nan)
    count = len(tasks)
    figure = Figure((2.6 + 0.72 * count, 1.7 + 0.66 * count), layout="constrained")
    axes = figure.add_subplot()
    limit = float(np.nanmax(np.abs(values), initial=0.0)) if np.isfinite(values).any() else 0.0
    heatmaps.draw(axes, values, tasks, tasks, limit or 1.0)
    for text in axes.texts:
        column, row = map(int, text.get_position())
        if row == column:  # a task and itself
            text.set_text("")
        elif np.isfinite(values[row, column]):
            text.set_text(f"{values[row, column]:z.{decimals(0.0 if name == 'cosine' else limit, 2)}f}")
    axes.set_title(TITLES[name], loc="left", fontsize=10, color=INK, fontweight="bold")
    if name != "cosine":
        axes.set_xlabel("the loss of which task", fontsize=8, color=INK)
        axes.set_ylabel("by the company of which task", fontsize=8, color=INK)
    return figure


TITLES = {
    "lookahead": "look-ahead affinity: % of the loss",
    "cosine": "cosine between gradients",
    "linearised": "linearised estimate: % of the loss",
}


class Linkage(NamedTuple):
    """How tasks are joined.

    Attributes:
        links: as SciPy has them, `[K - 1, 4]`.
        order: of the tasks, such that no two lines cross.
        note: what they leave out; "" for nothing.
    """

    links: np.ndarray
    order: list[int]
    note: str


def linkage(found: Mapping[str, Any]) -> Linkage | None:
    """Return which tasks are joined first by their look-ahead affinity; None where there is one way to join them."""
    of = found["groupings"][LOOKAHEAD]
    if len(found["tasks"]) < 3 or not of["known"]:
        return None
    affinities = known(array(found["scores"][LOOKAHEAD]["mean"]), array(found["shared"])) * 100
    np.fill_diagonal(affinities, 0.0)
    links = grouping.tree(affinities)
    note = "what is not known counts as 0" if of["known"] < of["pairs"] else ""
    return Linkage(links, hierarchy.leaves_list(links).tolist(), note)


def tree(found: Mapping[str, Any]) -> Figure | None:
    """Draw which tasks are joined first, by their look-ahead affinity; nothing where there is one way to join them."""
    joined, tasks = linkage(found), found["tasks"]
    if joined is None:
        return None
    figure = Figure((5.2, 1.3 + 0.34 * len(tasks)), layout="constrained")
    axes = plain(figure.add_subplot())
    hierarchy.dendrogram(
        joined.links, labels=tasks, ax=axes, orientation="right", color_threshold=0,
        above_threshold_color=LINES[0], leaf_font_size=8,
    )  # fmt: skip
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(BELOW + (f"; {joined.note}" if joined.note else ""), fontsize=8, color=INK)
    set_title(axes, "tasks joined by look-ahead affinity")
    return figure


def levels(found: Mapping[str, Any], records: Mapping[int, Record]) -> Figure | None:
    """Draw the cosines of pairs over the steps, a panel a level."""
    drawn = curves(found, records)
    if not drawn:
        return None
    figure, panels = panels_for(len(drawn), width=4.6)
    for axes, (title, of, _) in zip(panels, drawn, strict=True):
        set_title(axes, title)
        axes.axhline(0, color=GRID, linewidth=1.2, zorder=0)
        draw_lines(axes, of, LINES, False, "step")
    return figure


def curves(
    found: Mapping[str, Any], records: Mapping[int, Record]
) -> list[tuple[str, dict[str, tuple[np.ndarray, np.ndarray]], str]]:
    """Return by level a title, the cosines of pairs over the steps, and a note on them.

    They are means over seeds, of steps near each other. Pairs of which too few images are labelled for both are left
    out, as their cosines are noise. Of more than eight pairs the highest, the mean and the lowest are given.
    """
    seen, common = list(records.values()), array(found["shared"])
    measured = np.isfinite(np.concatenate([record.cosines[WHOLE] for record in seen])).any(axis=0)
    every = list(itertools.combinations(range(len(seen[0].tasks)), 2))
    pairs = [pair for pair in every if measured[pair] and common[pair] >= scores.COMMON]
    if not pairs:
        return []
    left = len(every) - len(pairs)
    note = f"{left} of {len(every)} pairs left out: too few images are labelled for both." if left else ""
    made = []
    for name in (name for name in seen[0].cosines if name != WHOLE):
        steps, values = _binned(seen, name)
        of = {f"{seen[0].tasks[i]}, {seen[0].tasks[j]}": _known(steps, values[:, i, j]) for i, j in pairs}
        if len(pairs) > len(LINES):
            each = np.stack([values[:, i, j] for i, j in pairs], axis=1)
            there = np.isfinite(each).any(axis=1)
            ends: dict[str, Any] = {"highest": np.nanmax, "mean": np.nanmean, "lowest": np.nanmin}
            of = {key: (steps[there], reduce(each[there], axis=1)) for key, reduce in ends.items()}
        made.append((f"cosine at {name}" if name.startswith("P") else f"cosine, {name}", of, note))
    return made


def _known(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    there = np.isfinite(values)
    return steps[there], values[there]


def _binned(seen: list[Record], level: str, most: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and the mean cosines `[bins, K, K]` of all looks near each, over seeds."""
    steps = np.concatenate([record.steps for record in seen])
    values = np.concatenate([record.cosines[level] for record in seen])
    parts = np.array_split(np.argsort(steps, kind="stable"), min(most, len(seen[0].steps)))
    means = []
    for part in parts:
        there = np.isfinite(values[part]).sum(axis=0)
        total = np.nan_to_num(values[part]).sum(axis=0)
        means.append(np.divide(total, there, out=np.full(total.shape, np.nan), where=there > 0))
    return np.array([steps[part].mean() for part in parts]), np.array(means)


def verdicts(found: Mapping[str, Any]) -> list[list[Any]]:
    """Return the rows of the table of pairs."""
    rows = []
    sizes = {name: max((abs(pair[name]["mean"] or 0.0) for pair in found["pairs"]), default=0.0) for name in SCORES}
    for pair in found["pairs"]:
        cells = [_cell(pair[name], PERCENT[name], sizes[name]) for name in SCORES]
        words = pair["verdict"]
        if words == "no verdict":
            words = f"no verdict: {pair['shared']:.0%} labelled for both, {scores.COMMON:.0%} needed"
        rows.append([", ".join(pair["tasks"]), f"{pair['shared']:.0%}", *cells, words])
    return rows


HEADER = ["pair", "shared", "look-ahead %", "cosine", "linearised %", "verdict"]


def _cell(score: Mapping[str, float | None], factor: float, size: float) -> str:
    if score["mean"] is None:
        return "-"
    digits = 2 if factor == 1.0 else decimals(size * factor, 3)
    mean = f"{score['mean'] * factor:+z.{digits}f}"
    if score["low"] is None or score["high"] is None:
        return mean
    return f"{mean} [{score['low'] * factor:+z.{digits}f}, {score['high'] * factor:+z.{digits}f}]"


def decimals(size: float, least: int) -> int:
    """Return how many decimals figures have, at least so many, such that the largest is told by two digits."""
    return max(least, 1 - math.floor(math.log10(size))) if size > 0 else least
