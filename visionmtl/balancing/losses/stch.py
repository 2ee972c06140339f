"""Smooth Tchebycheff scalarisation."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visionmtl.balancing.by_task import preference
from visionmtl.balancing.hyperparameters import number, whole
from visionmtl.balancing.loss_balancer import LossBalancer


@keras.saving.register_keras_serializable("visionmtl")
class SmoothTchebycheff(LossBalancer):
    """A smooth maximum over the tasks of the log loss relative to where it stood after the warm-up.

    In the warm-up epochs the sum of the log losses is minimised, and the mean loss of the last of them is kept as the
    scale of each task; from then on the objective is `K * smoothing * logsumexp(log(L / scale) / smoothing)`. A task
    not seen in that epoch has the scale 1.

    Preference: multiplies a task's `L / scale`, as the paper's lambda its distance from the ideal point; the warm-up
    knows none. The smaller the smoothing, the more alike become `preference * L / scale` of all tasks: a task with the
    preference 2 comes to half the relative loss of the others, as far as it can. At 0 it weighs nothing.

    Scale: the weights are those of the logs of the losses, `1 / L` each in the warm-up.

    Reference: Lin et al. 2024, Smooth Tchebycheff Scalarization for Multi-Objective Optimization (STCH). The logs and
    the scale are of the authors' code, not of the paper's equation, which has `L - z` with an ideal point z. That code
    counts the epoch of the scale apart: its `STCH_warmup_epoch` is one less than `warmup_epochs` here.
    """

    paper = "Lin et al. 2024"
    promise = "a smooth maximum: the worst task first"
    equation = "L = K smoothing logsumexp_k(log(preference_k L_k / scale_k) / smoothing)"
    when = "where the worst task matters most, or preferences are to be met at a point of the Pareto front"

    smoothing: float = number(1.0, "mu; small comes near the hard maximum", above=0)
    warmup_epochs: int = whole(4, "epochs of the log losses; the scales are the last one's means", at_least=0)

    preference: Any = preference()

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        numbers = np.array(type(self).preference.of(self.method_name, self.preference, tasks))
        self.log_preference = np.where(numbers > 0, np.log(np.maximum(numbers, 1e-300) / numbers.mean()), -1e9)
        for name in ("sums", "counts"):
            setattr(self, name, self.add_state(name, (len(tasks),)))
        self.epochs = self.add_state("epochs", dtype="int32")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        sums, counts = tf.convert_to_tensor(self.sums), tf.convert_to_tensor(self.counts)
        scale = tf.where(sums > 0, tf.math.divide_no_nan(sums, counts), 1.0)
        logs = tf.math.log(tf.where(present > 0, tf.maximum(losses, 1e-20), 1.0))
        relative = (logs - tf.math.log(scale) + tf.constant(self.log_preference, tf.float32)) / self.smoothing
        relative = tf.where(present > 0, tf.maximum(relative, -1e9), -1e9)
        smooth = tf.reduce_sum(present) * self.smoothing * tf.reduce_logsumexp(relative)
        smooth = tf.where(tf.reduce_any(present > 0), smooth, 0.0)
        return tf.where(self._warming(), tf.reduce_sum(logs), smooth)

    def _warming(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.epochs) < self.warmup_epochs

    def update(self, losses: tf.Tensor, present: tf.Tensor) -> None:
        warming = tf.cast(self._warming(), tf.float32)
        self.sums.assign_add(losses * present * warming)
        self.counts.assign_add(present * warming)

    def end_epoch(self) -> None:
        self.epochs.assign_add(1)
        if int(keras.ops.convert_to_numpy(self.epochs)) < self.warmup_epochs:  # the losses of the first are no scale
            for state in (self.sums, self.counts):
                state.assign(keras.ops.zeros_like(state))
