"""Task relationships: a backbone for every task, and a covariance between tasks that is learnt with their kernels.

The covariance says which tasks move together, which apart and which alone, and each is pulled to those that move with
it; relations known beforehand may be given as well. Take it to find groups among tasks without naming them: the matrix
is drawn as training goes on. It costs a backbone and a neck for each task, less a stem that `until` shares, a copy of
where they started, and a small eigenproblem a step.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError, nearest, one_of
from visionmtl.sharing.base import penalties
from visionmtl.sharing.base.branches import Branches, Parameters, stack
from visionmtl.sharing.base.checks import check_number
from visionmtl.sharing.base.scheme import Matrix, Penalty

ABOUT = ("start", "mean", "zero")


class Relation(Branches):
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
        >>> scheme = sharing.get("relation", relations={"depth": {"normals": 1.0}}, relations_strength=0.1)
    """

    name = "relation"

    def __init__(
        self,
        strength: float = 0.01,
        about: str = "start",
        relations: dict[str, dict[str, float]] | None = None,
        relations_strength: float = 0.01,
        until: str | None = None,
    ):
        super().__init__(until)
        self.strength, self.about = strength, about
        self.relations, self.relations_strength = relations, relations_strength

    def features(self, image, tasks, make_stages):
        for option in ("strength", "relations_strength"):
            check_number(self.name, option, getattr(self, option), 0)
        one_of(self.about, ABOUT, "origin of sharing 'relation'")
        self.pairs = _pairs(self.relations or {}, list(tasks))
        features = super().features(image, tasks, make_stages)
        self.every = [kernel for level in self.kernels.values() for kernel in level]
        self.start = Parameters.like(self.kernels, "relation_start", False) if self.about == "start" else None
        return features

    def layers(self):
        return [self.start] if self.start else []

    def started(self):
        if self.start:
            for place, kernel in zip(self.start.values, self.every, strict=True):
                place.assign(kernel[0])

    def penalties(self):
        variables = [variable for kernel in self.every for variable in kernel]
        found = []
        if self.strength and variables:
            start = self.start.values if self.start else []
            found.append(Penalty(self._learnt_penalty, [*variables, *start]))
        if self.relations_strength and self.pairs and variables:
            found.append(Penalty(self._given_penalty, variables))
        return found

    def _given_penalty(self):
        return self.relations_strength * tf.add_n([penalties.related(stack(one), self.pairs) for one in self.every])

    def _learnt_penalty(self):
        products = self._products(list(self.branches))
        omega = penalties.relationship(tf.stop_gradient(products))
        return self.strength * tf.cast(penalties.under_relationship(products, omega), tf.float32)

    def _products(self, tasks: list[str]):
        """Return the inner products of what some tasks' kernels are from their origin, float64 `[K, K]`."""
        places, products = [list(self.branches).index(task) for task in tasks], []
        starts = self.start.values if self.start else [None] * len(self.every)
        for kernel, start in zip(self.every, starts, strict=True):
            rows = stack([kernel[place] for place in places])
            if start is not None:
                rows -= stack([start])
            elif self.about == "mean":
                rows -= tf.reduce_mean(rows, axis=0)
            products.append(penalties.gramian(rows))
        return tf.add_n(products)

    def learnt(self, model):
        """Return the covariance of the tasks that a model has, of unit trace, and the same as correlations."""
        tasks = self.kept(model)
        if not tasks or not self.every:
            return {}
        omega = penalties.relationship(self._products(tasks)).numpy()
        deviations = np.sqrt(np.diag(omega))
        return {
            "task covariance": Matrix(omega, tasks, tasks),
            "task correlations": Matrix(omega / deviations / deviations[:, None], tasks, tasks),
        }

    def get_config(self):
        names = ("strength", "about", "relations", "relations_strength", "until")
        return {name: getattr(self, name) for name in names}


def _pairs(relations: Mapping[str, Mapping[str, float]], tasks: list[str]) -> dict[tuple[int, int], float]:
    """Return the weight of each related pair of tasks, by their places.

    Raises:
        UsageError: a task is unknown or related to itself, a weight is negative, or a pair has two.
    """
    expected = "expected {task: {task: weight}}, such as {'depth': {'normals': 1.0}}"
    if not isinstance(relations, Mapping) or not all(isinstance(row, Mapping) for row in relations.values()):
        raise UsageError(f"sharing 'relation' was given relations={relations!r}: {expected}.")
    pairs: dict[tuple[int, int], float] = {}
    for one, row in relations.items():
        for other, weight in row.items():
            for task in (one, other):
                if task not in tasks:
                    raise UsageError(
                        f"sharing 'relation' was given a relation of unknown task '{task}'.{nearest(task, tasks)}"
                        f" Tasks: {', '.join(tasks)}."
                    )
            if one == other:
                raise UsageError(f"sharing 'relation' was given a relation of '{one}' to itself: leave it out.")
            check_number("relation", f"relation of {one} to {other}", weight, 0)
            low, high = sorted((tasks.index(one), tasks.index(other)))
            if pairs.setdefault((low, high), weight) != weight:
                raise UsageError(
                    f"sharing 'relation' was given two weights of '{one}' and '{other}',"
                    f" {pairs[low, high]} and {weight}: give one."
                )
    return pairs
