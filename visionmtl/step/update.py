"""Variables moved, and left as they were: the last of a training step, and what is only tried."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from visionmtl.step.few_operations import apply_gradients
from visionmtl.step.optimizing import scales_loss
from visionmtl.step.replicas import sum_over_replicas

Gradients = Sequence[tf.Tensor | None]


class Update(NamedTuple):
    """How variables are updated; every replica does the same.

    Attributes:
        optimizer: that updates them; it sums over the replicas what is not summed yet.
        variables: those that are trained.
        clip_norm: largest norm of the gradient over all variables and replicas; None for no limit.
        replicas: how many there are.
    """

    optimizer: Any
    variables: Sequence[Any]
    clip_norm: float | None
    replicas: int

    def ready(self, gradients: Gradients, summed: bool) -> "Ready":
        """Return the gradients of this replica, or those that are `summed` over all, as the optimizer takes them."""
        scaled = scales_loss(self.optimizer)
        if summed:
            return self._of_sums(gradients)
        if self.clip_norm is None and not (scaled and self.replicas > 1):
            return Ready(list(gradients), list(self.variables))
        total = iter(sum_over_replicas([gradient for gradient in gradients if gradient is not None]))
        return self._of_sums([None if gradient is None else next(total) for gradient in gradients])

    def _of_sums(self, gradients: Gradients) -> "Ready":
        """Return what of gradients that are summed over the replicas the optimizer takes: limited by one norm."""
        known = [
            (value, variable) for value, variable in zip(gradients, self.variables, strict=True) if value is not None
        ]
        values, norm = [value for value, _ in known], None
        if self.clip_norm is not None:
            norm = global_norm(values, self.optimizer.scale_loss(1.0))
            factor = tf.minimum(1.0, self.clip_norm / tf.maximum(norm, 1e-12))
            values = [value * tf.cast(factor, value.dtype) for value in values]
        return Ready(values, [variable for _, variable in known], norm, summed=self.replicas > 1)


def global_norm(gradients: Sequence[tf.Tensor], unit: tf.Tensor | float) -> tf.Tensor:
    """Return the norm over gradients that are scaled by a unit as for float16, without it, float32 `[]`.

    The unit is taken out before anything is squared, as the squares of what is scaled may be infinite. A norm that is
    infinite where no gradient is would make the update zero, and no smaller unit would be taken.
    """
    scaled = isinstance(unit, tf.Tensor)  # which it is not where an optimizer returns what it is given
    values = [tf.cast(gradient, tf.float32) for gradient in gradients]
    return tf.linalg.global_norm([value / unit for value in values] if scaled else values)


class Ready(NamedTuple):
    """Gradients ready for the optimizer.

    Attributes:
        gradients: one a variable, or None.
        variables: theirs.
        norm: over all of them, before it was limited; None where nobody asked.
        summed: whether they are those of all replicas, so that the optimizer need not sum them.
    """

    gradients: list
    variables: list
    norm: tf.Tensor | None = None
    summed: bool = False

    def length(self) -> tf.Tensor:
        """Return the norm over all variables, float32 `[]`."""
        if self.norm is not None:
            return self.norm
        return tf.linalg.global_norm([tf.cast(value, tf.float32) for value in self.gradients if value is not None])

    def apply(self, optimizer: Any, go: tf.Tensor | None = None) -> None:
        """Have an optimizer update the variables; one that can wait, `go` or not, as bool `[]` says."""
        apply_gradients(optimizer, zip(self.gradients, self.variables, strict=True), self.summed, go)


@contextlib.contextmanager
def untouched(variables: Sequence[Any]) -> Iterator[None]:
    """Leave variables, in the end, as they were before what is done within, in graph."""
    values = [tf.identity(variable) for variable in variables]
    yield
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
