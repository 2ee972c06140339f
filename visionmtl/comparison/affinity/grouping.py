"""Which tasks to train together: the best division of K tasks among so many models, by what each brings the others."""

import functools
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

EXACT = 10  # tasks up to which every division is looked at


class Grouping(NamedTuple):
    """A division of tasks among models.

    Attributes:
        groups: the places of the tasks of each model.
        score: its sum over tasks, as `value` has it.
        exact: whether none is better.
    """

    groups: list[list[int]]
    score: float
    exact: bool


def value(affinities: np.ndarray, group: Sequence[int]) -> float:
    """Return what a group brings its tasks: for each the mean of what the others bring it; a task alone has 0.

    Args:
        affinities: `[K, K]`, what the task of the row brings that of the column; NaN, of which nothing is known, is 0.
        group: places of tasks.
    """
    if len(group) < 2:
        return 0.0
    inner = np.nan_to_num(affinities[np.ix_(group, group)])
    np.fill_diagonal(inner, 0.0)
    return float(inner.sum() / (len(group) - 1))


def best(affinities: np.ndarray, models: int) -> Grouping:
    """Return the division of all tasks among at most so many models that brings them most in sum.

    Each task is trained in one model. Of up to ten tasks the division is the best of all there are; of more, it is the
    best of those that the tree of `tree` is cut into.

    Args:
        affinities: as in `value`.
        models: at most how many; fewer where that is better, or where there are fewer tasks.
    """
    tasks = len(affinities)
    if tasks > EXACT:
        joined = tree(affinities)
        return max((_cut(affinities, joined, count) for count in range(1, models + 1)), key=lambda each: each.score)
    return _extreme(affinities, models, 1.0, fewer=True)


def _cut(affinities: np.ndarray, joined: np.ndarray, models: int) -> Grouping:
    """Return the groups that a tree is cut into, at most so many."""
    labels = hierarchy.fcluster(joined, models, "maxclust")
    groups = [[int(task) for task in np.flatnonzero(labels == label)] for label in np.unique(labels)]
    return Grouping(groups, sum(value(affinities, group) for group in groups), exact=False)


def worst(affinities: np.ndarray, models: int) -> Grouping:
    """Return the division of up to ten tasks among exactly so many models that brings them least."""
    return _extreme(affinities, min(models, len(affinities)), -1.0, fewer=False)


def tree(affinities: np.ndarray) -> np.ndarray:
    """Return the tasks joined two by two, those that bring each other most first, as `scipy.cluster.hierarchy` has it.

    Distances are the largest affinity less the pair's own, of both directions together; groups are joined by the mean
    over their pairs.
    """
    both = np.nan_to_num(affinities + affinities.T) / 2
    apart = both[~np.eye(len(both), dtype=bool)].max() - both
    np.fill_diagonal(apart, 0.0)
    return hierarchy.linkage(squareform(apart, checks=False), "average")


def _extreme(affinities: np.ndarray, models: int, sign: float, fewer: bool) -> Grouping:
    """Return the division of the highest score, or with a negative sign the lowest, over all subsets of subsets.

    Args:
        affinities: as in `value`.
        models: how many groups.
        sign: 1 or -1.
        fewer: whether there may be fewer groups.
    """
    tasks = len(affinities)
    values = {
        sum(1 << task for task in group): sign * value(affinities, group)
        for size in range(1, tasks + 1)
        for group in itertools.combinations(range(tasks), size)
    }

    @functools.cache
    def search(left: int, models: int) -> tuple[float, tuple[int, ...]]:
        """Return the best score of the tasks that are left, and their groups; the first task left is in the first."""
        if not left or not models:
            done = not left and (fewer or not models)
            return (0.0 if done else -np.inf), ()
        first = left & -left
        found: tuple[float, tuple[int, ...]] = (-np.inf, ())
        rest = inner = left ^ first
        while True:  # every subset of the rest
            score, groups = search(rest ^ inner, models - 1)
            if (score := score + values[inner | first]) > found[0] + 1e-12:
                found = score, (inner | first, *groups)
            if not inner:
                return found
            inner = (inner - 1) & rest

    score, masks = search(2**tasks - 1, models)
    return Grouping([[t for t in range(tasks) if mask >> t & 1] for mask in masks], sign * score, exact=True)
