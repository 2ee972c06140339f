"""Uncertainty weighting of Kendall, Gal and Cipolla."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.loss_balancer import LossBalancer
from visionmtl.layers.uncertainty import UncertaintyWeighting


@keras.saving.register_keras_serializable("visionmtl")
class Uncertainty(LossBalancer):
    """Weights learnt with the model from each task's homoscedastic uncertainty; see `layers.UncertaintyWeighting`.

    The sum of `L * exp(-s) * c + s / 2` over the tasks; `c` is 1/2 for a regression and 1 for a classification.

    Scale: at the start (`s = 0`) a classification's loss weighs 1 and a regression's 1/2.

    Reference: Kendall, Gal and Cipolla 2018, Multi-Task Learning Using Uncertainty to Weigh Losses, equations 7 to 10.
    """

    paper = "Kendall et al. 2018"
    promise = "weights learnt from each task's noise"
    equation = "L = sum_k c L_k exp(-s_k) + s_k / 2, c = 1/2 of a regression and 1 of a classification"
    when = "where losses differ in scale: it costs nothing, and the recipe camvid has it"

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.weighting = UncertaintyWeighting(regression, name="uncertainty_weighting")
        self.weighting.build((len(tasks),))
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.weighting(losses, present=present)
