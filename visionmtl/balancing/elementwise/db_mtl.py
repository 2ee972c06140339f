"""Dual balancing, of the losses and of the gradients."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import ForwardPass
from visionmtl.balancing.elementwise.means import Means
from visionmtl.balancing.elementwise_balancer import ElementwiseBalancer
from visionmtl.balancing.gramian_method import gradients
from visionmtl.balancing.hyperparameters import number
from visionmtl.balancing.task_gradients import TaskGradients


@keras.saving.register_keras_serializable("visionmtl")
class DualBalancing(ElementwiseBalancer):
    """Balance the losses by their logarithms, and the gradients by giving all the length of the longest (DB-MTL).

    Task k's gradient is that of log(L_k), smoothed by a running mean over the steps, of which `beta / step **
    beta_sigma` is the old mean's fraction. K of these means, each as large as what the tasks share, are kept in memory
    and in the checkpoint.

    Scale: that of the logarithm, a gradient over its loss, also for what one task trains alone.

    Reference: Lin et al. 2023, Dual-Balancing for Multi-Task Learning.
    """

    paper = "Lin et al. 2023"
    promise = "log losses, gradients smoothed and all as long as the longest"
    equation = "g_k = mean over steps of dlog(L_k); sum_k max_j(|g_j|) / |g_k| g_k"
    when = "where losses and gradients both differ in scale and memory for K gradients is there"

    beta: float = number(0.9, "fraction of the old mean; 0 keeps none, 0.9 is the authors' code's", at_least=0, below=1)
    beta_sigma: float = number(0.0, "how fast that fraction falls with the steps", at_least=0)

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        super().prepare(tasks, regression, shared)
        self.means = Means(self, shared)

    def smooth(self, held: TaskGradients, forward: ForwardPass) -> TaskGradients:
        scales = log_slopes(forward.losses, forward.present) / forward.unit
        return self.means.smooth(held, forward, scales, self.beta / self.means.next_step() ** self.beta_sigma)

    def weigh(self, gramian: tf.Tensor | None, forward: ForwardPass, product: tf.Tensor | None = None) -> tf.Tensor:
        return tf.cast(longest_norm(gramian, forward.present), tf.float32)

    def weights_of_own(self, weights: tf.Tensor | None, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor | None:
        return log_slopes(losses, present)


def log_slopes(losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """Return the derivative of log(L) by each loss `[K]`, 0 for an absent task."""
    return tf.where(present > 0, 1 / (losses + 1e-8), 0.0)


def longest_norm(gramian: tf.Tensor, present: tf.Tensor | None = None) -> tf.Tensor:
    """Return weights, float64 `[K]`, that give every gradient the length of the longest: `w_k = max(|g|) / |g_k|`.

    Fall-back: a zero gradient weighs 0.
    """
    seen = gradients(gramian, present)
    longest = tf.reduce_max(seen.norms * seen.active)
    return seen.weights(seen.active * longest / seen.norms)
