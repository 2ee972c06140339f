"""Gradient normalisation."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import SCOPES
from visionmtl.balancing.hyperparameters import choice, number
from visionmtl.balancing.loss_balancer import LossBalancer
from visionmtl.balancing.losses.common import Adam
from visionmtl.balancing.method import K_HEADS


@keras.saving.register_keras_serializable("visionmtl")
class GradNorm(LossBalancer):
    """Weights under which every task's gradient is as long as its training rate asks for.

    With `G_k = w_k |g_k|` and the loss relative to its first value, `r_k`, over the mean of these, the weights follow
    Adam down the sum of `|G_k - mean(G) r_k^alpha|`, whose second term is held constant, and sum to K. The gradients'
    length is measured at the last maps that all tasks share, near the paper's last shared layer, or with
    scope="parameters" by all that several tasks train.

    Reference: Chen et al. 2018, GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask
    Networks, algorithm 1.
    """

    paper = "Chen et al. 2018"
    cost = K_HEADS
    promise = "gradients as long as training rates ask"
    equation = "w follows down sum_k |w_k |g_k| - mean_j(w_j |g_j|) r_k^alpha|, sum_k w_k = K"
    when = "where some tasks are learnt long before the others: alpha says how strongly these are pulled along"

    alpha: float = number(1.5, "how strongly slow tasks are pulled; 0 makes all gradients equally long", at_least=0)
    learning_rate: float = number(0.025, "of the weights", above=0)
    scope: str = choice("features", SCOPES, "where the gradients' length is measured")

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.relative = self.add_state("weights", (len(tasks),), 1.0)
        self.first = self.add_state("first", (len(tasks),))
        self.adam = Adam(self, len(tasks), self.learning_rate)
        super().prepare(tasks, regression, shared)

    def _present(self, present: tf.Tensor) -> tf.Tensor:
        """Return the weights `[K]` of the present tasks, which sum to their number."""
        weights = self.relative * present
        return weights * tf.math.divide_no_nan(tf.reduce_sum(present), tf.reduce_sum(weights))

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.reduce_sum(self._present(present) * losses)

    def see(self, gramian: tf.Tensor, losses: tf.Tensor, present: tf.Tensor) -> None:
        first = tf.convert_to_tensor(self.first)
        first = tf.where((first == 0) & (present > 0), losses, first)
        count = tf.maximum(tf.reduce_sum(present), 1.0)
        lengths = tf.sqrt(tf.linalg.diag_part(gramian))
        rates = tf.math.divide_no_nan(losses, first) * present
        rates = tf.math.divide_no_nan(rates * count, tf.reduce_sum(rates))
        weighted = self._present(present) * lengths
        aims = tf.reduce_sum(weighted) / count * rates**self.alpha
        slope = tf.sign(weighted - aims) * lengths * present
        slope = tf.where(tf.math.is_finite(slope), slope, 0.0)
        weights = tf.maximum(self.relative - tf.where(present > 0, self.adam.step(slope), 0.0), 1e-4)
        self.first.assign(first)
        self.relative.assign(weights / tf.reduce_mean(weights))
