"""Losses of a model's outputs, given as Keras's `compile` takes them: read, checked and computed a sample."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from visionmtl.errors import UsageError, nearest
from visionmtl.step import by_shape

_REGRESSIONS = ("MeanSquaredError", "MeanAbsoluteError", "MeanSquaredLogarithmicError", "Huber", "LogCosh")
_REFUSED = {  # arguments of Keras's compile that would not do here what they do there
    "loss_weights": "the balancer weighs the tasks: give balancing={'method': 'fixed', 'weights': {...}}",
    "weighted_metrics": "metrics are weighted by the samples' weights anyway: give metrics",
}


def check_arguments(given: Mapping[str, Any]) -> None:
    """Refuse arguments of Keras's `compile` that mean nothing here.

    Raises:
        UsageError: one of them is given.
    """
    for name, instead in _REFUSED.items():
        if given.get(name) is not None:
            raise UsageError(f"compile was given {name}, but {instead}.")


def losses(given: Any, outputs: Mapping) -> dict[str, Any]:
    """Return the Keras loss of each output that has one.

    Raises:
        UsageError: `given` is no dictionary, names an output that is not there, or a loss is no mean over samples.
    """
    if not isinstance(given, Mapping) or not given:
        raise UsageError(
            "compile(loss=...) of a BalancedModel takes a dictionary {output name: loss}, one entry a task."
        )
    check_names(given, outputs)
    found = {name: _loss(name, value) for name, value in given.items() if value is not None}
    if not found:
        raise UsageError("compile(loss=...) has no loss but None: give one of them at least.")
    return found


def _loss(output: str, given: Any) -> Any:
    if isinstance(given, list | tuple | Mapping):
        raise UsageError(f"The loss of output '{output}' is a {type(given).__name__}: expected one loss a task.")
    if isinstance(given, str) and given.lower() in ("crossentropy", "ce"):
        return by_shape.crossentropy
    loss = keras.losses.get(given)
    reduction = getattr(loss, "reduction", None)
    if reduction == "sum":
        raise UsageError(
            f"The loss of output '{output}' has reduction='sum': a task's loss is the mean over its samples; leave the "
            "reduction out, and give the task a weight by balancing={'method': 'fixed', ...}."
        )
    return loss


def check_masks(model: keras.Model) -> None:
    """Refuse a model that masks steps of a sequence which one of its outputs still has.

    Raises:
        UsageError: it does; its losses would count what is masked.
    """
    masking = [
        layer.name
        for layer in model.layers
        if isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False)
    ]
    longer = [name for name, tensor in model.output.items() if len(tensor.shape) > 2]
    if masking and longer:
        raise UsageError(
            f"Layer '{masking[0]}' masks steps that output '{longer[0]}' has: a BalancedModel's losses see no mask. "
            "Take the mask out and let the loss ignore those steps by their labels."
        )


def sample_losses(losses: Mapping, labels: Mapping, outputs: Mapping) -> dict[str, tf.Tensor]:
    """Return the loss of each sample `[B]` for each output whose labels are given.

    Raises:
        UsageError: a loss is one number for the batch.
    """
    by_sample = {}
    for name, loss in losses.items():
        if labels.get(name) is not None:
            kind = getattr(loss, "dtype", None) or keras.config.floatx()
            # As Keras does: both in the loss's own precision, and `[B]` labels go with a `[B, 1]` output.
            truth, output = tf.cast(tf.convert_to_tensor(labels[name]), kind), tf.cast(outputs[name], kind)
            truth = truth[..., None] if output.shape[-1] == 1 and len(truth.shape) < len(output.shape) else truth
            values = loss.call(truth, output) if isinstance(loss, keras.losses.Loss) else loss(truth, output)
            values = tf.cast(values, tf.float32)
            if values.shape.rank == 0:
                raise UsageError(
                    f"The loss of output '{name}' is one number for the whole batch: a task's loss is one for each "
                    "sample, so that those without a label can be left out. Average over all axes but the first."
                )
            by_sample[name] = tf.reduce_mean(tf.reshape(values, (tf.shape(values)[0], -1)), axis=1)
    return by_sample


def is_regression(loss: Any) -> bool:
    """Return whether a Keras loss is one of a regression, a squared error or its like."""
    return _loss_class(loss) in _REGRESSIONS


def check_names(given: Mapping, outputs: Mapping) -> None:
    """Refuse names that are none of a model's outputs.

    Raises:
        UsageError: one is not.
    """
    for name in given:
        if name not in outputs:
            valid = ", ".join(outputs)
            raise UsageError(f"The model has no output '{name}'.{nearest(name, outputs)} Outputs: {valid}.")


def _loss_class(loss: Any) -> str:
    """Return the name of a Keras loss's class, also where it was given as a function."""
    name = type(loss).__name__ if isinstance(loss, keras.losses.Loss) else getattr(loss, "__name__", "")
    return "".join(word.capitalize() for word in name.split("_")) if "_" in name else name
