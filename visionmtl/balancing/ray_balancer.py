"""RayBalancer: losses that are to end on a ray from zero, in proportions that the user chooses."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from visionmtl.balancing.by_task import ray
from visionmtl.balancing.loss_balancer import LossBalancer


class RayBalancer(LossBalancer):
    """A loss balancer with a `ray`. A subclass implements `scalarise`."""

    ray: Any = ray()

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.numbers = type(self).ray.of(self.method_name, self.ray, tasks)
        super().prepare(tasks, regression, shared)

    def towards(self, present: tf.Tensor) -> tf.Tensor:
        """Return the ray `[K]`, 0 for an absent task."""
        return tf.constant(self.numbers, tf.float32) * present
