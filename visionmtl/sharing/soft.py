"""Soft sharing: a backbone for every task, and a penalty that keeps their kernels near each other.

Each task has parameters of its own, and the strength of the tie says how far they may part: 0 gives separate models.
Take it where tasks disagree too much for one backbone and their data is too little for one each; a strength for every
level lets early features stay alike and late ones part. It costs a backbone and a neck for each task, when training and
when predicting, less a stem that `until` shares; the penalty itself reads every kernel once a step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import keras
import tensorflow as tf

from visionmtl.errors import check_number, one_of
from visionmtl.sharing.base import penalties
from visionmtl.sharing.base.built import Made, Penalty
from visionmtl.sharing.base.parameters import Parameters, stack
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Kernels, Maps, stem_and_branches

TIES: dict[str, Callable] = {
    "mean": penalties.to_mean,
    "centre": penalties.to_centre,
    "pairs": penalties.pairwise,
    "chain": penalties.chain,
    "trace": penalties.trace_norm,
    "unfoldings": penalties.unfolded_trace_norms,
}
SCALED = ("trace", "unfoldings")  # by the length of what they shrink


@dataclass(frozen=True)
class Soft(Scheme):
    """A backbone per task, tied by a penalty on the distance of their kernels.

    With a tie of squared distances (all but the last two), a training step takes the fraction learning rate x strength
    of what parts a kernel from where it is tied to, under plain gradient descent: the same strength holds a small
    network and a large one, two tasks and five. The trace norm of each kernel's `[K, P]` matrix is multiplied by that
    matrix's length, held constant, for the same reason: its pull is a fraction of the kernel, not a step of fixed
    length. So is the mean of the trace norms over every unfolding of a kernel's tensor of all tasks.

    Args:
        tie: "mean" (each task to the mean of all), "centre" (each to a centre that is trained too), "pairs" (each to
            each other, over the number of others: "mean" at K / (K - 1) of the strength), "chain" (each to the next,
            in the order of the tasks), "trace" (all to few directions: the trace norm, which also shrinks them), or
            "unfoldings" (to few directions among the tasks, and within the channels and pixels of a kernel, too). That
            takes an eigenproblem a step for each axis of each kernel, which is slow for hundreds of channels.
        strength: of the penalty, 0 or more, of all levels, or `{level: strength}`, where a level left out is free.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Duong et al. 2015, Low Resource Dependency Parsing (pairs); Evgeniou and Pontil 2004, Regularized
    Multi-Task Learning (mean, centre); Yang and Hospedales 2017, Trace Norm Regularised Deep Multi-Task Learning.

    Example:
        >>> from visionmtl import sharing
        >>> scheme = sharing.get("soft", tie="centre", strength={"P2": 0.1, "P3": 0.01})
    """

    tie: str = "mean"
    strength: float | Mapping[str, float] = 0.01
    until: str | None = None

    name = "soft"

    def __post_init__(self) -> None:
        one_of(self.tie, TIES, "tie of sharing 'soft'")
        if not isinstance(self.strength, Mapping):
            check_number(f"sharing '{self.name}'", "strength", self.strength, at_least=0)

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        branches = stem_and_branches(self.name, self.until, image, tasks, make_stages)
        features = branches.run()
        strengths = self._strengths(list(branches.kernels))
        tied = {level: kernels for level, kernels in branches.kernels.items() if strengths.get(level) and kernels}
        centre = Parameters.like(tied, "soft_centre", True) if tied and self.tie == "centre" else None
        ties = []
        for level, kernels in tied.items():
            centres = centre.of(level) if centre else []
            variables = [variable for kernel in kernels for variable in kernel] + centres
            ties.append(Penalty(partial(self._penalty, strengths[level], kernels, centres), variables))
        return Made(features, penalties=ties, layers=[centre] if centre else [])

    def _strengths(self, levels: list[str]) -> dict[str, float]:
        """Return the strength of the penalty by level; a level left out is free."""
        if not isinstance(self.strength, Mapping):
            return dict.fromkeys(levels, self.strength)
        for level, strength in self.strength.items():
            of = f"strength of {one_of(level, levels, 'level to tie')}"
            check_number(f"sharing '{self.name}'", of, strength, at_least=0)
        return dict(self.strength)

    def _penalty(self, strength: float, kernels: Kernels, centres: list[keras.Variable]) -> tf.Tensor:
        """Return the penalty of a level.

        Args:
            strength: what it is multiplied by.
            kernels: each the variables of all tasks.
            centres: of each kernel, if they are tied to a centre; else none.
        """
        terms = []
        for place, kernel in enumerate(kernels):
            rows = stack(kernel)
            further = [stack(centres[place : place + 1])[0]] if centres else []
            if self.tie == "unfoldings":
                rows = tf.reshape(rows, [len(kernel), *kernel[0].shape])
            term = TIES[self.tie](rows, *further)
            if self.tie in SCALED:
                term *= tf.stop_gradient(tf.norm(rows))
            terms.append(term)
        return strength * tf.add_n(terms)
