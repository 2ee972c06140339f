"""Dynamic weight average."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import number
from visionmtl.balancing.loss_balancer import LossBalancer
from visionmtl.balancing.losses.common import masked_softmax


@keras.saving.register_keras_serializable("visionmtl")
class DynamicWeightAverage(LossBalancer):
    """Weights that favour the tasks whose loss fell least from one epoch to the next: `K * softmax(r / temperature)`.

    `r` is the ratio of a task's mean losses in the last two epochs, and 1 for a task without labels in one of them. The
    weights are 1 for the first two epochs.

    Reference: Liu, Johns and Davison 2019, End-to-End Multi-Task Learning with Attention (DWA).
    """

    paper = "Liu et al. 2019"
    promise = "more weight where the loss fell least from epoch to epoch"
    equation = "w_k = K softmax(r_k / temperature), r_k = L_k(epoch - 1) / L_k(epoch - 2)"
    when = "where tasks learn at different speeds and losses are alike in scale: only their ratios over epochs count"

    temperature: float = number(2.0, "large makes the weights alike", above=0)

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        for name in ("sums", "counts", "last", "before"):
            setattr(self, name, self.add_state(name, (len(tasks),)))
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        last, before = tf.convert_to_tensor(self.last), tf.convert_to_tensor(self.before)
        ratio = tf.where((last > 0) & (before > 0), tf.math.divide_no_nan(last, before), 1.0)
        weights = masked_softmax(ratio / self.temperature, present) * tf.reduce_sum(present)
        return tf.reduce_sum(weights * losses)

    def update(self, losses: tf.Tensor, present: tf.Tensor) -> None:
        self.sums.assign_add(losses * present)
        self.counts.assign_add(present)

    def end_epoch(self) -> None:
        sums, counts = (keras.ops.convert_to_numpy(state) for state in (self.sums, self.counts))
        self.before.assign(self.last)
        self.last.assign(sums / counts.clip(min=1))
        self.sums.assign(0 * sums)
        self.counts.assign(0 * counts)
