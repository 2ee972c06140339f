"""The linearised estimate: what a model of some of the tasks would lose, from gradients at the model of all of them."""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from visionmtl.comparison.affinity import bootstrap
from visionmtl.comparison.affinity.scores import Interval

SUBSETS = 256  # of tasks; of up to eight tasks all are taken, of more so many at random
DAMPING = 10.0  # of the curvature, in means over tasks and directions: few images tell it in few directions only
RESAMPLED = 100


class Sketches(NamedTuple):
    """Gradients at the trained model, of N sub-batches of a few images.

    Attributes:
        gradients: `[N, K, D]`, of each task's loss by the shared parameters, projected at random; NaN for a task
            without labels in the sub-batch.
        losses: `[N, K]`.
    """

    gradients: np.ndarray
    losses: np.ndarray


def subsets(tasks: int, seed: int = 0) -> np.ndarray:
    """Return subsets of K tasks, bool `[M, K]`: all of them, or of many tasks some of half the size at random."""
    if 2**tasks - 1 <= SUBSETS:
        rows = [row for row in itertools.product((False, True), repeat=tasks) if any(row)]
        return np.array(rows)
    random = np.random.default_rng(seed)
    return random.permuted(np.tile(np.arange(tasks) < (tasks + 1) // 2, (SUBSETS, 1)), axis=1)


def affinities(sketches: Sketches, chosen: np.ndarray | None = None) -> np.ndarray:
    """Return what one task's company brings another, `[K, K]`: 0.01 where it lowers its estimated loss by one percent.

    The loss of a task in a model of a subset of the tasks is estimated by a second-order expansion around the model of
    all of them, in D random directions: gradients are means over half of the sub-batches, curvatures those of the
    empirical Fisher matrix, and the parameters make the step that is best for the subset, `-(sum of curvatures)^-1
    (sum of gradients)`; the loss it leads to is measured by the gradients of the other half. Row i, column j is the
    mean of task j's losses over the subsets that contain j without i, less that over those which contain both, as a
    fraction of its loss.

    The paper expands the outputs of classifiers and fits a logistic regression to them; here it is the loss, which
    every task has, and one step of Newton's method. It averages over the subsets that contain both: the difference
    taken here ranks the tasks i for each j alike, and is 0 where i makes no difference.

    Args:
        sketches: gradients at the trained model.
        chosen: the subsets, bool `[M, K]`; None for those of `subsets`.

    Reference: Li et al. 2024, Scalable Multitask Learning Using Gradient-based Estimation of Task Affinity (Grad-TAG).
    """
    tasks = sketches.losses.shape[1]
    chosen = subsets(tasks) if chosen is None else chosen
    first, second = (_moments(Sketches(sketches.gradients[half::2], sketches.losses[half::2])) for half in (0, 1))
    found = [_affinities(*pair, chosen) for pair in ((first, second), (second, first))]
    return np.mean(found, axis=0)


class Estimate(NamedTuple):
    """The affinities of seeds, as they are and with their sub-batches drawn anew.

    Attributes:
        means: `[N, K, K]`, of each seed.
        drawn: `[draws, K, K]`, means over seeds drawn anew.
    """

    means: np.ndarray
    drawn: np.ndarray

    def interval(self, of: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Interval:
        """Return the affinities, or a function of them, with their 95% interval over sub-batches and seeds."""
        means = of(self.means)
        return bootstrap.widened(bootstrap.of_draws(means.mean(axis=0), of(self.drawn)), means)


def estimate(seeds: Sequence[Sketches], seed: int = 0) -> Estimate:
    """Return the affinities that the gradients of one or several seeds give, and those of sub-batches drawn anew."""
    random = np.random.default_rng(seed)
    chosen = subsets(seeds[0].losses.shape[1])
    means = np.array([affinities(sketches, chosen) for sketches in seeds])
    drawn = []
    for _ in range(RESAMPLED):
        each = [seeds[place] for place in random.integers(0, len(seeds), len(seeds))]
        drawn.append(np.mean([affinities(_resampled(sketches, random), chosen) for sketches in each], axis=0))
    return Estimate(means, np.array(drawn))


def _resampled(sketches: Sketches, random: np.random.Generator) -> Sketches:
    """Draw the sub-batches of each half anew: none is in both, or the estimate would be measured by what it fits."""
    count = len(sketches.losses)
    rows = np.empty(count, int)
    for half in (0, 1):
        own = np.arange(half, count, 2)
        rows[half::2] = random.choice(own, len(own))
    return Sketches(sketches.gradients[rows], sketches.losses[rows])


class _Moments(NamedTuple):
    """Of each task, in relation to its loss: the mean gradient `[K, D]` and the curvature `[K, D, D]`."""

    gradients: np.ndarray
    curvatures: np.ndarray


def _moments(sketches: Sketches) -> _Moments:
    known = np.isfinite(sketches.losses)
    count = np.maximum(known.sum(axis=0), 1)
    losses = np.where(known, sketches.losses, 0.0).sum(axis=0) / count
    scale = np.divide(1.0, losses, out=np.zeros(losses.shape), where=losses > 0)
    rows = np.where(known[:, :, None], sketches.gradients, 0.0) * scale[:, None]
    means = rows.sum(axis=0) / count[:, None]
    return _Moments(means, np.einsum("nkd,nke->kde", rows, rows) / count[:, None, None])


def _affinities(fitted: _Moments, held: _Moments, chosen: np.ndarray) -> np.ndarray:
    tasks, directions = fitted.gradients.shape
    damping = DAMPING * np.trace(fitted.curvatures, axis1=1, axis2=2).mean() / directions
    if not damping > 0:  # no task has a gradient
        return np.full((tasks, tasks), np.nan)
    member = chosen.astype(float)
    curvature = np.einsum("mk,kde->mde", member, fitted.curvatures) + damping * np.eye(directions)
    steps = -np.linalg.solve(curvature, (member @ fitted.gradients)[:, :, None])[:, :, 0]
    bent = np.einsum("md,kde,me->mk", steps, held.curvatures, steps)
    change = steps @ held.gradients.T + bent / 2  # of the loss of each task, as a fraction, by subset `[M, K]`
    found = np.full((tasks, tasks), np.nan)
    for i, j in itertools.permutations(range(tasks), 2):
        both, without = chosen[:, i] & chosen[:, j], ~chosen[:, i] & chosen[:, j]
        if both.any() and without.any() and np.any(held.gradients[j]) and np.any(fitted.gradients[i]):
            found[i, j] = change[without, j].mean() - change[both, j].mean()
    return found
