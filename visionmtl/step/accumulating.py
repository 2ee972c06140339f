"""Gradients accumulated by the replicas of a strategy over several steps, which Keras cannot do (keras#20582).

Keras has each replica decide by itself whether a step completes an update, and there they may not meet to make it. Here
all decide at once.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def over_replicas(optimizer: Any) -> bool:
    """Return, in a step, whether an optimizer accumulates gradients of several replicas."""
    return bool(optimizer.gradient_accumulation_steps) and tf.distribute.get_strategy().num_replicas_in_sync > 1


def apply(optimizer: Any, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
    """Keep gradients; once they are enough, have an optimizer update variables by the mean of them and of those kept.

    It is in an optimizer's place of `_backend_apply_gradients`. The gradients are summed over the replicas, so that all
    keep the same, of which a checkpoint has one.
    """
    steps = optimizer.gradient_accumulation_steps
    kept = [optimizer._accumulated_gradients[optimizer._get_variable_index(variable)] for variable in variables]

    def update(gradients: Sequence[tf.Tensor]) -> None:
        means = [(before + gradient) / steps for before, gradient in zip(kept, gradients, strict=True)]
        means = optimizer._clip_gradients(means)
        optimizer._apply_weight_decay(variables)
        optimizer._backend_update_step(means, variables, optimizer.learning_rate)
        optimizer._backend_reset_gradient_accumulators()

    def keep(gradients: Sequence[tf.Tensor]) -> None:
        for before, gradient in zip(kept, gradients, strict=True):
            before.assign(before + gradient)

    def decide(strategy: tf.distribute.Strategy, last: Any, gradients: Sequence[Any]) -> None:
        def on_each(work: Callable[[Sequence[tf.Tensor]], None]) -> Callable[[], tf.Tensor]:
            def branch() -> tf.Tensor:
                strategy.extended.call_for_each_replica(work, args=(gradients,))
                return tf.constant(True)

            return branch

        tf.cond(strategy.experimental_local_results(last)[0], on_each(update), on_each(keep))

    last = tf.equal((optimizer._iterations + 1) % steps, 0)
    tf.distribute.get_replica_context().merge_call(
        decide, args=(last, [tf.convert_to_tensor(each) for each in gradients])
    )
    if optimizer.use_ema:
        optimizer._update_model_variables_moving_average(optimizer._trainable_variables)
