"""Task relationships: a backbone for every task, and a covariance between tasks that is learnt with their kernels.

The covariance says which tasks move together, which apart and which alone, and each is pulled to those that move with
it; relations known beforehand may be given as well. Take it to find groups among tasks without naming them: the matrix
is drawn as training goes on. It costs a backbone and a neck for each task, less a stem that `until` shares, a copy of
where they started, and a small eigenproblem a step.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError, check_number, nearest, one_of
from visionmtl.sharing.base import penalties
from visionmtl.sharing.base.built import Made, Matrix, Penalty
from visionmtl.sharing.base.parameters import Parameters, stack
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Branches, Maps, stem_and_branches

ABOUT = ("start", "mean", "zero")


@dataclass(frozen=True)
class Relation(Scheme):
    """A backbone per task, tied by a covariance between tasks that is learnt.

    The penalty is `strength / 2 * tr(W' Omega^-1 W)` over the K x P matrix W of all kernels, and Omega, of unit trace,
    is what makes it smallest for the kernels as they are: it is computed anew in every step and needs no state. Tasks
    that are all alike are pulled by strength x W, tasks without relation by K times that: neither grows with the
    number of parameters.

    Args:
        strength: of that penalty, 0 or more.
        about: what W is the distance from. "start", where all tasks began: what they learnt is what is compared; the
            default, because copies of one backbone have nearly all of their kernels in common and "zero", the paper's
            choice for linear models, would see all tasks related. "mean", the mean of the tasks: no copy of the start
            to keep, but the distances sum to zero, so that two tasks are always opposites.
        relations: `{task: {task: weight}}`, each pair once or both ways alike, weights of 0 or more; of each pair,
            `relations_strength / 2 * weight * |w - w'|^2` is added. None for none.
        relations_strength: of the penalty of the given relations, 0 or more.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Zhang and Yeung 2010, A Convex Formulation for Learning Task Relationships in Multi-Task Learning;
    Evgeniou, Micchelli and Pontil 2005, Learning Multiple Tasks with Kernel Methods (given relations).

    Example:
        >>> from visionmtl import sharing
        >>> scheme = sharing.get("relation", relations={"depth": {"normals": 1.0}}, relations_strength=0.1)
    """

    strength: float = 0.01
    about: str = "start"
    relations: Mapping[str, Mapping[str, float]] | None = None
    relations_strength: float = 0.01
    until: str | None = None

    name = "relation"

    def __post_init__(self) -> None:
        for option in ("strength", "relations_strength"):
            check_number(f"sharing '{self.name}'", option, getattr(self, option), at_least=0)
        one_of(self.about, ABOUT, "origin of sharing 'relation'")

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        pairs = _pairs(self.relations or {}, list(tasks))
        branches = stem_and_branches(self.name, self.until, image, tasks, make_stages)
        features = branches.run()
        start = Parameters.like(branches.kernels, "relation_start", False) if self.about == "start" else None
        related = Related(branches, start, self.about)
        variables = [variable for kernel in related.kernels for variable in kernel]
        ties = []
        if self.strength and variables:
            origin = start.values if start else []
            ties.append(Penalty(lambda: self.strength * related.learnt_penalty(), [*variables, *origin]))
        if self.relations_strength and pairs and variables:
            ties.append(Penalty(lambda: self.relations_strength * related.given_penalty(pairs), variables))
        layers = [start] if start else []
        return Made(features, penalties=ties, layers=layers, learnt=related.matrices, started=related.start_from_here)


@dataclass(frozen=True)
class Related:
    """The branches of a model, and what their kernels are the distance from.

    Attributes:
        branches: of each task.
        start: the first task's kernels as all tasks began; None where that is not the origin.
        about: what the kernels are the distance from, one of `ABOUT`.
    """

    branches: Branches
    start: Parameters | None
    about: str

    @property
    def kernels(self) -> list[list[keras.Variable]]:
        """The kernels of all levels, each the variables of all tasks."""
        return [kernel for level in self.branches.kernels.values() for kernel in level]

    def start_from_here(self) -> None:
        """Take the kernels as they are for where all tasks began."""
        if self.start:
            for place, kernel in zip(self.start.values, self.kernels, strict=True):
                place.assign(kernel[0])

    def given_penalty(self, pairs: Mapping[tuple[int, int], float]) -> tf.Tensor:
        """Return the penalty of pairs of tasks, by their places, that are known to be related."""
        return tf.add_n([penalties.related(stack(kernel), pairs) for kernel in self.kernels])

    def learnt_penalty(self) -> tf.Tensor:
        """Return the penalty under the covariance between tasks that makes it smallest."""
        products = self._products(self.branches.tasks)
        omega = penalties.relationship(tf.stop_gradient(products))
        return tf.cast(penalties.under_relationship(products, omega), tf.float32)

    def _products(self, tasks: list[str]) -> tf.Tensor:
        """Return the inner products of what some tasks' kernels are from their origin, float64 `[K, K]`."""
        places, products = [self.branches.tasks.index(task) for task in tasks], []
        starts = self.start.values if self.start else [None] * len(self.kernels)
        for kernel, start in zip(self.kernels, starts, strict=True):
            rows = stack([kernel[place] for place in places])
            if start is not None:
                rows -= stack([start])
            elif self.about == "mean":
                rows -= tf.reduce_mean(rows, axis=0)
            products.append(penalties.gramian(rows))
        return tf.add_n(products)

    def matrices(self, model: keras.Model) -> dict[str, Matrix]:
        """Return the covariance of the tasks that a model has, of unit trace, and the same as correlations."""
        tasks = self.branches.kept(model)
        if not tasks or not self.kernels:
            return {}
        omega = penalties.relationship(self._products(tasks)).numpy()
        deviations = np.sqrt(np.diag(omega))
        return {
            "task covariance": Matrix(omega, tasks, tasks),
            "task correlations": Matrix(omega / deviations / deviations[:, None], tasks, tasks),
        }


def _pairs(relations: Mapping[str, Mapping[str, float]], tasks: list[str]) -> dict[tuple[int, int], float]:
    """Return the weight of each related pair of tasks, by their places.

    Raises:
        UsageError: a task is unknown or related to itself, a weight is negative, or a pair has two.
    """
    expected = "expected {task: {task: weight}}, such as {'depth': {'normals': 1.0}}"
    if not isinstance(relations, Mapping) or not all(isinstance(row, Mapping) for row in relations.values()):
        raise UsageError(f"sharing 'relation' was given relations={relations!r}: {expected}.")
    pairs: dict[tuple[int, int], float] = {}
    for first, row in relations.items():
        for other, weight in row.items():
            for task in (first, other):
                if task not in tasks:
                    raise UsageError(
                        f"sharing 'relation' was given a relation of unknown task '{task}'.{nearest(task, tasks)}"
                        f" Tasks: {', '.join(tasks)}."
                    )
            if first == other:
                raise UsageError(f"sharing 'relation' was given a relation of '{first}' to itself: leave it out.")
            check_number("sharing 'relation'", f"relation of {first} to {other}", weight, at_least=0)
            low, high = sorted((tasks.index(first), tasks.index(other)))
            if pairs.setdefault((low, high), weight) != weight:
                raise UsageError(
                    f"sharing 'relation' was given two weights of '{first}' and '{other}',"
                    f" {pairs[low, high]} and {weight}: give one."
                )
    return pairs
