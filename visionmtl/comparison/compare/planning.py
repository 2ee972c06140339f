"""What is to be trained next: of an arm's candidates the best at the first seed, and with it every seed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from visionmtl.comparison.compare.arms import Part
from visionmtl.comparison.compare.cells import Cell
from visionmtl.comparison.delta_m import delta_m

Figures = Mapping[str, Any]  # what `metrics.json` has of a run
Results = Mapping[str, Mapping[str, float]]  # metrics by task


@dataclass(frozen=True)
class Known:
    """What has come of the cells so far.

    Attributes:
        figures: returns those of a cell; None where it is not finished.
        failed: why a cell failed, by its hash.
        lower: the metrics of which less is better.
        before: returns why a cell failed when it was tried the last time, by whichever process.
    """

    figures: Callable[[Cell], Figures | None]
    failed: Mapping[str, str]
    lower: Sequence[str] = ()
    before: Callable[[Cell], str | None] = lambda cell: None


@dataclass(frozen=True)
class Outlook:
    """How far a part is.

    Attributes:
        ready: cells that can be trained now.
        left: how many are to be trained until its end, about.
        chosen: the candidate taken; None where that is open.
        cells: of the candidate taken, by seed.
        failed: why its first seed has no model, where no candidate could be trained.
        tried: the candidates so far, at the first seed.
    """

    ready: list[Cell]
    left: int
    chosen: dict[str, Any] | None = None
    cells: dict[int, Cell] = field(default_factory=dict)
    failed: str | None = None
    tried: Sequence[Cell] = ()


def trainings(part: Part, seeds: int) -> int:
    """Return how many trainings a part takes from its beginning: what is chosen at the first seed is trained there."""
    return sum(map(len, part.groups)) - len(part.groups) + seeds


def outlook(part: Part, seeds: Sequence[int], known: Known) -> Outlook:
    """Return how far a part is, and what of it is to be trained next."""
    settings: dict[str, Any] = {}
    before: list[Cell] = []
    for number, group in enumerate(part.groups):
        cells = [(option, part.cell({**settings, **option}, seeds[0])) for option in group]
        tried = {cell.hash: (option, cell) for option, cell in cells}
        before += [cell for _, cell in cells]
        unmade = [cell for _, cell in tried.values() if not _over(cell, known)]
        if unmade:
            later = sum(len(each) - 1 for each in part.groups[number + 1 :]) + len(seeds) - 1
            return Outlook(unmade, len(unmade) + later, tried=before)
        measured = [(option, found["validation"]) for option, cell in tried.values() if (found := known.figures(cell))]
        if not measured:
            return Outlook([], 0, failed=next(known.failed[key] for key in tried), tried=before)
        settings |= measured[best([results for _, results in measured], known.lower)][0]
    of_seeds = {seed: part.cell(settings, seed) for seed in seeds}
    ready = [cell for cell in of_seeds.values() if not _over(cell, known)]
    return Outlook(ready, len(ready), settings, of_seeds, tried=before)


def best(results: Sequence[Results], lower: Sequence[str] = ()) -> int:
    """Return which of several candidates is the best: that of the highest delta-m, the first of equal ones.

    It is reckoned against the mean of the candidates, so that what is 0 in one of them counts too.

    Example:
        >>> best([{"cars": {"AP": 0.0}}, {"cars": {"AP": 0.2}}, {"cars": {"AP": 0.1}}])
        1
    """
    mean: dict[str, dict[str, float]] = {}
    for task, values in results[0].items():
        each = {name: [_number(other.get(task, {}).get(name)) for other in results] for name in values}
        mean[task] = {name: float(np.mean(given)) for name, given in each.items() if not any(map(math.isnan, given))}
    scores = [delta_m({task: dict(values) for task, values in other.items()}, mean, lower) for other in results]
    return max(range(len(results)), key=lambda number: (not math.isnan(scores[number]), scores[number]))


def _over(cell: Cell, known: Known) -> bool:
    return cell.hash in known.failed or known.figures(cell) is not None


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
