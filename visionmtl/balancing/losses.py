"""Balancers that weigh the task losses: one small class each."""

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import LossBalancer
from visionmtl.errors import UsageError, nearest
from visionmtl.layers import UncertaintyWeighting


@keras.saving.register_keras_serializable("visionmtl")
class Equal(LossBalancer):
    """The sum of the losses: every task weighs 1. The baseline of every other method."""

    def scalarise(self, losses, present):
        return tf.reduce_sum(losses * present)


@keras.saving.register_keras_serializable("visionmtl")
class Fixed(LossBalancer):
    """The sum of the losses with weights you choose.

    Args:
        weights: `{task name: weight}`; a task not named weighs 1.

    Example:
        >>> model.compile("adamw", balancing=visionmtl.balancing.get("fixed", weights={"segmentation": 2.0}))
    """

    def __init__(self, weights=None, **kwargs):
        super().__init__(**kwargs)
        self.by_task = dict(weights or {})
        for task, weight in self.by_task.items():
            if not isinstance(weight, (int, float)) or weight < 0:
                raise UsageError(
                    f"balancing 'fixed' was given weight {weight!r} for '{task}': expected a number of at least 0."
                )

    def prepare(self, tasks, regression):
        for task in self.by_task:
            if task not in tasks:
                raise UsageError(
                    f"balancing 'fixed' was given a weight for unknown task '{task}'.{nearest(task, tasks)}"
                    f" Tasks: {', '.join(tasks)}."
                )
        super().prepare(tasks, regression)

    def scalarise(self, losses, present):
        return tf.reduce_sum(losses * present * [float(self.by_task.get(task, 1.0)) for task in self.tasks])

    def get_config(self):
        return super().get_config() | {"weights": self.by_task}


@keras.saving.register_keras_serializable("visionmtl")
class Uncertainty(LossBalancer):
    """Weights learnt with the model from each task's homoscedastic uncertainty; see `layers.UncertaintyWeighting`.

    Scale: at the start (`s = 0`) a classification's loss weighs 1 and a regression's 1/2.

    Reference: Kendall, Gal and Cipolla 2018, Multi-Task Learning Using Uncertainty to Weigh Losses.
    """

    def prepare(self, tasks, regression):
        self.weighting = UncertaintyWeighting(regression, name="uncertainty_weighting")
        self.weighting.build((len(tasks),))
        super().prepare(tasks, regression)

    def scalarise(self, losses, present):
        return self.weighting(losses, present=present)
