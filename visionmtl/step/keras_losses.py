"""Losses and metrics of a model's outputs, given as Keras's `compile` takes them: read, checked and computed."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from visionmtl.errors import UsageError, nearest

_REGRESSIONS = ("MeanSquaredError", "MeanAbsoluteError", "MeanSquaredLogarithmicError", "Huber", "LogCosh")


def losses(given: Any, outputs: Mapping) -> dict[str, Any]:
    """Return the Keras loss of each output that has one.

    Raises:
        UsageError: `given` is no dictionary, or names an output that is not there.
    """
    if not isinstance(given, dict) or not given:
        raise UsageError(
            "compile(loss=...) of a BalancedModel takes a dictionary {output name: loss}, one entry a task."
        )
    _check_names(given, outputs)
    return {name: keras.losses.get(value) for name, value in given.items()}


def metrics(given: Mapping | None, outputs: Mapping, losses: Mapping) -> dict[str, list[keras.metrics.Metric]]:
    """Return the Keras metrics of each output, named after it; "accuracy" is the one that fits the output's loss.

    Raises:
        UsageError: `given` names an output that is not there.
    """
    given = given or {}
    _check_names(given, outputs)
    listed = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    return {
        name: [_metric(name, metric, output, losses.get(name)) for metric in listed.get(name, [])]
        for name, output in outputs.items()
    }


def sample_losses(losses: Mapping, labels: Mapping, outputs: Mapping) -> dict[str, tf.Tensor]:
    """Return the loss of each sample `[B]` for each output whose labels are given."""
    by_sample = {}
    for name, loss in losses.items():
        if labels.get(name) is not None:
            function = loss.call if isinstance(loss, keras.losses.Loss) else loss
            truth, output = tf.convert_to_tensor(labels[name]), outputs[name]
            # As in Keras, `[B]` labels go with a `[B, 1]` output.
            truth = truth[..., None] if output.shape[-1] == 1 and len(truth.shape) < len(output.shape) else truth
            values = tf.cast(function(truth, output), tf.float32)
            by_sample[name] = tf.reduce_mean(tf.reshape(values, (tf.shape(values)[0], -1)), axis=1)
    return by_sample


def is_regression(loss: Any) -> bool:
    """Return whether a Keras loss is one of a regression, a squared error or its like."""
    return _loss_class(loss) in _REGRESSIONS


def _check_names(given: Mapping, outputs: Mapping) -> None:
    for name in given:
        if name not in outputs:
            valid = ", ".join(outputs)
            raise UsageError(f"The model has no output '{name}'.{nearest(name, outputs)} Outputs: {valid}.")


def _metric(output: str, metric: Any, tensor: keras.KerasTensor, loss: Any) -> keras.metrics.Metric:
    if metric in ("accuracy", "acc"):
        if tensor.shape[-1] == 1:
            metric = keras.metrics.BinaryAccuracy("accuracy")
        elif _loss_class(loss).startswith("Sparse"):
            metric = keras.metrics.SparseCategoricalAccuracy("accuracy")
        else:
            metric = keras.metrics.CategoricalAccuracy("accuracy")
    metric = keras.metrics.get(metric)
    if not isinstance(metric, keras.metrics.Metric):
        metric = keras.metrics.MeanMetricWrapper(metric, name=metric.__name__)
    if not metric.name.startswith(output):
        metric.name = f"{output}_{metric.name}"
    return metric


def _loss_class(loss: Any) -> str:
    """Return the name of a Keras loss's class, also where it was given as a function."""
    name = type(loss).__name__ if isinstance(loss, keras.losses.Loss) else getattr(loss, "__name__", "")
    return "".join(word.capitalize() for word in name.split("_")) if "_" in name else name
