"""Loss discrepancy control."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import number
from visionmtl.balancing.loss_balancer import LossBalancer
from visionmtl.balancing.losses.common import masked_softmax


@keras.saving.register_keras_serializable("visionmtl")
class LossDiscrepancy(LossBalancer):
    """Softmax weights, learnt to bring the weighted losses near to each other while the weighted sum is minimised.

    Losses are first brought to one scale, `L_k / (L_k(0) / min_j L_j(0))` by those of the first step. The sum of them
    weighted, and `penalty` times the sum of the differences between each and the next, train the network and the
    weights alike, in one pass back.

    Scale: K times the authors' code's, whose weights sum to 1.

    Reference: Xiao, Dong, Ban and Ji 2025, LDC-MTL: Balancing Multi-Task Learning through Scalable Loss Discrepancy
    Control, algorithm 1, as its code for NYUv2 has it. There the weights are those of a small network on the shared
    features, of each batch; here of K numbers, the same for all batches, which the model's optimizer trains.
    """

    paper = "Xiao et al. 2025"
    promise = "weighted losses near to each other, in one pass back"
    equation = "L = K (sum_k w_k l_k + penalty sum_k |w_k l_k - w_(k+1) l_(k+1)|), w = softmax(a), l_k = L_k / ratio_k"
    when = "where losses differ in scale, or one falls far ahead of the others, and a step is to cost one pass"

    penalty: float = number(0.05, "lambda, of the differences; 0.05 in the code for NYUv2", at_least=0)

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.logits = self.add_weight(name="logits", shape=(len(tasks),), initializer="zeros")
        self.first = self.add_state("first", (len(tasks),))
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        first = self._first(tf.stop_gradient(losses), present)
        least = tf.reduce_min(tf.where(first > 0, first, 1e30))
        scaled = losses * tf.where(first > 0, tf.math.divide_no_nan(least, first), 1.0)
        weighted = masked_softmax(tf.convert_to_tensor(self.logits), present) * scaled * present
        place = tf.cumsum(present)  # the next task is the next one present
        follows = tf.cast(place[None, :] - place[:, None] == 1.0, tf.float32) * present[None, :] * present[:, None]
        apart = tf.reduce_sum(follows * tf.abs(weighted[:, None] - weighted[None, :]))
        return tf.reduce_sum(present) * (tf.reduce_sum(weighted) + self.penalty * apart)

    def _first(self, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        """Return the loss of each task in its first step `[K]`; 0 where that is still to come."""
        known = tf.convert_to_tensor(self.first)
        return tf.where((known == 0) & (present > 0), losses, known)

    def update(self, losses: tf.Tensor, present: tf.Tensor) -> None:
        self.first.assign(self._first(losses, present))
