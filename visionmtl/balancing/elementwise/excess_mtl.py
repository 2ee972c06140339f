"""Excess risks."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing import task_gradients
from visionmtl.balancing.balancer import SCOPES, ForwardPass
from visionmtl.balancing.elementwise_balancer import ElementwiseBalancer
from visionmtl.balancing.hyperparameters import choice, number, whole
from visionmtl.balancing.method import K_HEADS
from visionmtl.balancing.task_gradients import TaskGradients


@keras.saving.register_keras_serializable("visionmtl")
class ExcessRisks(ElementwiseBalancer):
    """Give weight to the tasks that are farthest from what they could reach, not to those of a large loss (ExcessMTL).

    A task's excess risk is estimated as `g' H^-1/2 g`, H being the sum of its squared gradients so far, and taken
    relative to the first one; its weight is multiplied by `exp(step_size * risk)`. The weights also hold for what one
    task trains alone, and sum to K. K of these sums are kept in memory and in the checkpoint.

    With `warmup_epochs` the weights stay 1 for so many epochs, in which the squares are summed, and the risks are
    relative to the mean of these epochs instead of the first. That is the paper's, with 3 (appendix C.1); the authors'
    code has no warm-up, as the default here.

    With the scope "features" the risk is told by the gradients of a shift of each channel of the last maps that all
    tasks share, as a bias there would have: K passes through the heads and one through the backbone. With "parameters",
    as in the paper, by those of all that several tasks train: K whole passes, and K sums as large.

    Reference: He et al. 2024, Robust Multi-Task Learning with Excess Risks.
    """

    paper = "He et al. 2024"
    cost = K_HEADS
    promise = "more weight where most is still to gain, whatever the label noise"
    equation = "w_k <- w_k exp(step_size r_k), r_k = g_k' H_k^(-1/2) g_k, sum_k w_k = K"
    when = "where labels of some tasks are noisy, so that a large loss does not mean much to gain"
    scopes = SCOPES

    step_size: float = number(0.01, "how fast the weights follow the risks", above=0)
    warmup_epochs: int = whole(0, "epochs of equal weights, whose mean risk is the scale; the paper has 3", at_least=0)
    scope: str = choice("features", SCOPES, "whose gradients tell the risk")

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        super().prepare(tasks, regression, shared)
        start = -1 if self.scope == "features" else 0  # of a map the channels count alone
        self.squares = self.add_states("squares", {id(source): tuple(source.shape[start:]) for source in shared})
        self.first = self.add_state("first", (len(tasks),))
        self.relative = self.add_state("weights", (len(tasks),), 1.0)
        self.epochs = self.counts = None
        if self.warmup_epochs:  # a model saved without a warm-up has no such state
            self.epochs, self.counts = self.add_state("epochs"), self.add_state("counts", (len(tasks),))

    def smooth(self, held: TaskGradients, forward: ForwardPass) -> TaskGradients:
        risks = [tf.constant(0.0)] * len(self.tasks)
        for by_task, squares in self._compared(held, forward):
            rows = tf.unstack(tf.convert_to_tensor(squares))
            for task, gradient in by_task.items():
                square = (tf.cast(gradient, tf.float32) / forward.unit) ** 2
                rows[task] += tf.where(tf.math.is_finite(square), square, 0.0)
                risks[task] += tf.reduce_sum(square / tf.sqrt(rows[task] + 1e-7))
            squares.assign(tf.stack(rows))
        self._move(tf.stack(risks), forward.present)
        return held

    def _compared(self, held: TaskGradients, forward: ForwardPass) -> list[tuple[dict[int, tf.Tensor], Any]]:
        """Return the tasks' gradients by what they share, summed over the replicas, each beside its sums of squares."""
        if self.scope == "parameters":
            pairs = zip(held, forward.variables, strict=True)
            squares = [(by_task, self.squares.get(id(variable))) for by_task, variable in pairs]
            return [(by_task, sums) for by_task, sums in squares if sums is not None and len(by_task) > 1]
        shifts = [{task: _over_places(gradient) for task, gradient in by_task.items()} for by_task in held]
        together = zip(task_gradients.summed(shifts, forward.reduce), self.squares.values(), strict=True)
        return [(by_task, sums) for by_task, sums in together if len(by_task) > 1]

    def _move(self, risks: tf.Tensor, present: tf.Tensor) -> None:
        """Move the weights by the risks `[K]` of a step; a task's first one, or its warm-up, only sets its scale."""
        first, weights = tf.convert_to_tensor(self.first), tf.convert_to_tensor(self.relative)
        counts = (present > 0) & tf.math.is_finite(risks)
        over = tf.constant(True) if self.epochs is None else tf.convert_to_tensor(self.epochs) >= self.warmup_epochs
        grown = weights * tf.exp(self.step_size * tf.math.divide_no_nan(risks, first))
        weights = tf.where(counts & (first > 0) & over, grown, weights)
        scale = tf.where(first == 0, risks, first)
        if self.counts is not None:
            behind = tf.convert_to_tensor(self.counts)
            self.counts.assign(tf.where(counts & ~over, behind + 1, behind))
            scale = tf.where(over, scale, first + (risks - first) / (behind + 1))
        self.first.assign(tf.where(counts, scale, first))
        self.relative.assign(weights / tf.reduce_mean(weights))

    def end_epoch(self) -> None:
        if self.epochs is not None:
            self.epochs.assign_add(1.0)

    def weigh(self, gramian: tf.Tensor | None, forward: ForwardPass, product: tf.Tensor | None = None) -> tf.Tensor:
        weights = self.relative * forward.present
        return weights * tf.math.divide_no_nan(tf.reduce_sum(forward.present), tf.reduce_sum(weights))

    def weights_of_own(self, weights: tf.Tensor | None, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor | None:
        return weights


def _over_places(gradient: tf.Tensor) -> tf.Tensor:
    """Return the sum over images and places of the gradient of a map: that of a shift of its channels, `[C]`."""
    return tf.reduce_sum(tf.cast(gradient, tf.float32), axis=list(range(len(gradient.shape) - 1)))
