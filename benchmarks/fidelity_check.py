"""One Jacobian-vector product along an update: how fast every task's loss falls by it, whatever the number of tasks.

With the update u on what the tasks share, the derivatives are `g_k . u`, and so `G w` of the Gramian of that batch:
they tell whether kept weights still do what they did. Twice: as forward-mode differentiation has it, and as the
difference of two forward passes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from visionmtl.step.update import untouched

STEP = 1e-2  # the length of the step of a difference


def forward_mode(model: Any) -> Callable[[Any, Sequence[tf.Tensor]], tf.Tensor]:
    """Return a function from a batch and an update, one tensor a trained variable, to the derivatives `[K]`."""
    variables = [variable.value for variable in model.trainable_variables]

    @tf.function(autograph=False)
    def derivatives(data: Any, update: Sequence[tf.Tensor]) -> tf.Tensor:
        with tf.autodiff.ForwardAccumulator(variables, list(update)) as accumulator:
            losses = tf.stack(_losses(model, data))
        return accumulator.jvp(losses)

    return derivatives


def difference(model: Any) -> Callable[[Any, Sequence[tf.Tensor], tf.Tensor], tf.Tensor]:
    """Return the same by one forward pass at `theta + STEP u / |u|`; it is given the losses `[K]` at theta too."""
    variables = model.trainable_variables

    @tf.function(autograph=False)
    def derivatives(data: Any, update: Sequence[tf.Tensor], losses: tf.Tensor) -> tf.Tensor:
        rate = STEP / tf.linalg.global_norm(update)
        with untouched(variables):
            for variable, one in zip(variables, update, strict=True):
                variable.assign_add(rate * one)
            there = tf.stack(_losses(model, data))
        return (there - losses) / rate

    return derivatives


def _losses(model: Any, data: Any) -> list[tf.Tensor]:
    """Return the tasks' mean losses as a training step has them; no statistic of the batch is kept."""
    images, labels, weights = model.admit(data)
    with untouched(model.non_trainable_variables):
        return model.task_losses(labels, model(images, training=True), weights).local


def gradients(model: Any) -> Callable[[Any], tuple[tf.Tensor, list[list[tf.Tensor]]]]:
    """Return a function from a batch to the losses `[K]` and each task's gradient by every trained variable."""
    variables = model.trainable_variables

    @tf.function(autograph=False)
    def of(data: Any) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
        with tf.GradientTape(persistent=True) as tape:
            losses = _losses(model, data)
        zero = tf.UnconnectedGradients.ZERO
        return tf.stack(losses), [tape.gradient(loss, [v.value for v in variables], None, zero) for loss in losses]

    return of
