"""Variables moved, and left as they were: the last of a training step, and what is only tried."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from visionmtl.step.replicas import sum_over_replicas

Gradients = Sequence[tf.Tensor | None]


class Update(NamedTuple):
    """How variables are updated; every replica does the same.

    Attributes:
        optimizer: that updates them; it sums what it is given over the replicas.
        variables: those that are trained.
        clip_norm: largest norm of the gradient over all variables and replicas; None for no limit.
        replicas: how many there are.
        summing: whether gradients are summed over the replicas first, also where that is not needed to clip them.
    """

    optimizer: Any
    variables: Sequence[Any]
    clip_norm: float | None
    replicas: int
    summing: bool = False

    def apply(self, gradients: Gradients, summed: bool) -> None:
        """Update from the gradients of this replica, or from those that are `summed` over all."""
        scaled = isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)
        if summed:
            self._apply_sums(gradients)
        elif self.clip_norm is None and not ((scaled or self.summing) and self.replicas > 1):
            self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))
        else:
            total = iter(sum_over_replicas([gradient for gradient in gradients if gradient is not None]))
            self._apply_sums([None if gradient is None else next(total) for gradient in gradients])

    def _apply_sums(self, gradients: Gradients) -> None:
        """Update from gradients that are summed over the replicas: every replica sees the same overflow."""
        known = [
            (value, variable) for value, variable in zip(gradients, self.variables, strict=True) if value is not None
        ]
        factor = tf.constant(1.0 / self.replicas)  # the optimizer's own sum adds equal addends
        if self.clip_norm is not None:
            norm = tf.linalg.global_norm([gradient for gradient, _ in known]) / self.optimizer.scale_loss(1.0)
            factor *= tf.minimum(1.0, self.clip_norm / tf.maximum(norm, 1e-12))
        self.optimizer.apply_gradients(
            [(gradient * tf.cast(factor, gradient.dtype), variable) for gradient, variable in known]
        )


@contextlib.contextmanager
def untouched(variables: Sequence[Any]) -> Iterator[None]:
    """Leave variables, in the end, as they were before what is done within, in graph."""
    values = [tf.identity(variable) for variable in variables]
    yield
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
