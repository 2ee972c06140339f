"""The last of a training step: from this replica's gradients, or their sums over all, to the optimizer."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

Gradients = Sequence[tf.Tensor | None]


class Update(NamedTuple):
    """How variables are updated; every replica does the same.

    Attributes:
        optimizer: that updates them; it sums what it is given over the replicas.
        variables: those that are trained.
        clip_norm: largest norm of the gradient over all variables and replicas; None for no limit.
        replicas: how many there are.
        reduce: sums each of a list of tensors over the replicas.
    """

    optimizer: Any
    variables: Sequence[Any]
    clip_norm: float | None
    replicas: int
    reduce: Callable[[list], list]

    def parts(self, gradients: Gradients) -> None:
        """Update from this replica's parts of the gradients."""
        scaled = isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)
        if self.clip_norm is None and not (scaled and self.replicas > 1):
            self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))
            return
        total = iter(self.reduce([gradient for gradient in gradients if gradient is not None]))
        self.sums([None if gradient is None else next(total) for gradient in gradients])

    def sums(self, gradients: Gradients) -> None:
        """Update from gradients that are summed over the replicas: every replica sees the same overflow."""
        kept = [(one, variable) for one, variable in zip(gradients, self.variables, strict=True) if one is not None]
        factor = tf.constant(1.0 / self.replicas)  # the optimizer's own sum adds equal parts
        if self.clip_norm is not None:
            norm = tf.linalg.global_norm([gradient for gradient, _ in kept]) / self.optimizer.scale_loss(1.0)
            factor *= tf.minimum(1.0, self.clip_norm / tf.maximum(norm, 1e-12))
        self.optimizer.apply_gradients([(gradient * tf.cast(factor, gradient.dtype), one) for gradient, one in kept])
