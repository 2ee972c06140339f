"""The sum of the losses with weights a user chooses."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import Hyperparameter, Number
from visionmtl.balancing.loss_balancer import LossBalancer
from visionmtl.errors import UsageError, nearest

WEIGHT = Number(1.0, "of a task", at_least=0)


class WeightByTask(Hyperparameter):
    """A weight for some of the tasks, by name."""

    expected = f"{{task name: weight}}, each weight {WEIGHT.expected}"

    def allows(self, value: Any) -> bool:
        return value is None or (isinstance(value, dict) and all(WEIGHT.allows(each) for each in value.values()))

    def kept(self, value: Any) -> Any:
        return dict(value or {})


@keras.saving.register_keras_serializable("visionmtl")
class Fixed(LossBalancer):
    """The sum of the losses with weights you choose.

    Example:
        >>> model.compile("adamw", balancing=visionmtl.balancing.get("fixed", weights={"segmentation": 2.0}))
    """

    promise = "weights you choose"

    # A layer's `weights` are its variables: the attribute needs a name of its own.
    by_task: Any = WeightByTask({}, "{task name: weight}; a task not named weighs 1", name="weights")

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        for task in self.by_task:
            if task not in tasks:
                raise UsageError(
                    f"balancing 'fixed' was given a weight for unknown task '{task}'.{nearest(task, tasks)}"
                    f" Tasks: {', '.join(tasks)}."
                )
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        return tf.reduce_sum(losses * present * [float(self.by_task.get(task, 1.0)) for task in self.tasks])
