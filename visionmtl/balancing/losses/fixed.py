"""The sum of the losses with weights a user chooses."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.by_task import ByTask
from visionmtl.balancing.loss_balancer import LossBalancer


@keras.saving.register_keras_serializable("visionmtl")
class Fixed(LossBalancer):
    """The sum of the losses with weights you choose.

    Example:
        >>> model.compile("adamw", balancing=visionmtl.balancing.get("fixed", weights={"segmentation": 2.0}))
    """

    promise = "weights you choose"
    equation = "w_k = weights[k]"
    when = "where you know what counts; `visionmtl compare` and `visionmtl tune` search for them"

    # A layer's `weights` are its variables: the attribute needs a name of its own.
    by_task: Any = ByTask("{task name: weight}; a task not named weighs 1", name="weights")

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.numbers = type(self).by_task.of(self.method_name, self.by_task, tasks)
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.reduce_sum(losses * present * self.numbers)
