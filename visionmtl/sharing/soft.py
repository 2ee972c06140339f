"""Soft sharing: a backbone for every task, and a penalty that keeps their kernels near each other.

Each task has parameters of its own, and the strength of the tie says how far they may part: 0 gives separate models.
Take it where tasks disagree too much for one backbone and their data is too little for one each; a strength for every
level lets early features stay alike and late ones part. It costs a backbone and a neck for each task, when training and
when predicting, less a stem that `until` shares; the penalty itself reads every kernel once a step.
"""

from collections.abc import Callable, Mapping
from functools import partial

import tensorflow as tf

from visionmtl.errors import one_of
from visionmtl.sharing.base import penalties
from visionmtl.sharing.base.branches import Branches, Kernels, Parameters, stack
from visionmtl.sharing.base.checks import check_number
from visionmtl.sharing.base.scheme import Penalty

TIES: dict[str, Callable] = {
    "mean": penalties.to_mean,
    "centre": penalties.to_centre,
    "pairs": penalties.pairwise,
    "chain": penalties.chain,
    "trace": penalties.trace_norm,
}


class Soft(Branches):
    """A backbone per task, tied by a penalty on the distance of their kernels.

    With a tie of squared distances (all but "trace"), a training step takes the share learning rate x strength of what
    parts a kernel from where it is tied to, under plain gradient descent: the same strength holds a small network and
    a large one, two tasks and five. The trace norm of each kernel's `[K, P]` matrix is multiplied by that matrix's
    length, held constant, for the same reason: its pull is a share of the kernel, not a step of fixed length.

    Args:
        tie: "mean" (each task to the mean of all), "centre" (each to a centre that is trained too), "pairs" (each to
            each other, over the number of others: "mean" at K / (K - 1) of the strength), "chain" (each to the next,
            in the order of the tasks), or "trace" (all to few directions: the trace norm, which also shrinks them).
        strength: of the penalty, 0 or more, of all levels, or `{level: strength}`, where a level left out is free.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Duong et al. 2015, Low Resource Dependency Parsing (pairs); Evgeniou and Pontil 2004, Regularized
    Multi-Task Learning (mean, centre); Yang and Hospedales 2017, Trace Norm Regularised Deep Multi-Task Learning.

    Example:
        >>> scheme = sharing.get("soft", tie="centre", strength={"P2": 0.1, "P3": 0.01})
    """

    name = "soft"

    def __init__(self, tie: str = "mean", strength: float | dict[str, float] = 0.01, until: str | None = None):
        super().__init__(until)
        self.tie, self.strength = tie, strength

    def features(self, image, tasks, make_stages):
        one_of(self.tie, TIES, "tie of sharing 'soft'")
        features = super().features(image, tasks, make_stages)
        levels, given = list(self.kernels), self.strength
        if isinstance(given, Mapping):
            for level, strength in given.items():
                check_number(self.name, f"strength of {one_of(level, levels, 'level to tie')}", strength, 0)
        else:
            given = dict.fromkeys(levels, check_number(self.name, "strength", given, 0))
        self.strengths = {level: given[level] for level in levels if given.get(level) and self.kernels[level]}
        self.tied = {level: self.kernels[level] for level in self.strengths}
        self.centre = Parameters.like(self.tied, "soft_centre", True) if self.tied and self.tie == "centre" else None
        return features

    def layers(self):
        return [self.centre] if self.centre else []

    def penalties(self):
        """Return a penalty for each level that is tied."""
        found = []
        for level, kernels in self.tied.items():
            centre = self.centre.of(level) if self.centre else []
            variables = [variable for kernel in kernels for variable in kernel] + centre
            found.append(Penalty(partial(self._penalty, self.strengths[level], kernels, centre), variables))
        return found

    def _penalty(self, strength: float, kernels: Kernels, centre: list):
        terms = []
        for place, kernel in enumerate(kernels):
            rows = stack(kernel)
            further = [stack(centre[place : place + 1])[0]] if centre else []
            term = TIES[self.tie](rows, *further)
            if self.tie == "trace":
                term *= tf.stop_gradient(tf.norm(rows))
            terms.append(term)
        return strength * tf.add_n(terms)

    def get_config(self):
        return {"tie": self.tie, "strength": self.strength, "until": self.until}
