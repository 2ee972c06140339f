"""Metrics of a model's outputs, given as Keras's `compile` takes them."""

from collections.abc import Mapping
from typing import Any

import keras

from visionmtl.errors import UsageError
from visionmtl.step import by_shape
from visionmtl.step.keras_losses import check_names

BY_SHAPE = ("accuracy", "acc")


def metrics(given: Any, outputs: Mapping) -> dict[str, list[keras.metrics.Metric]]:
    """Return the Keras metrics of each output, named after it.

    "accuracy" is the one that fits the shapes of labels and output, as in Keras.

    Raises:
        UsageError: `given` is no dictionary, names an output that is not there, or two metrics would be logged as one.
    """
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(
            f"compile(metrics=...) was given as a {type(given).__name__}: expected a dictionary {{output name: metric, "
            f"or list of metrics}}; the outputs are {', '.join(outputs)}."
        )
    check_names(given or {}, outputs)
    found: dict[str, list[keras.metrics.Metric]] = {}
    logged: dict[str, str] = {}
    seen: set[int] = set()
    for name in outputs:
        listed = (given or {}).get(name)
        listed = listed if isinstance(listed, list | tuple) else [listed]
        if twice := [metric for metric in listed if isinstance(metric, keras.metrics.Metric) and id(metric) in seen]:
            raise UsageError(f"Output '{name}' has the same metric object '{twice[0].name}' as another: make one each.")
        seen |= {id(metric) for metric in listed}
        found[name] = [_metric(name, metric) for metric in listed if metric is not None]
        for metric in found[name]:
            if metric.name in logged:
                raise UsageError(
                    f"Outputs '{logged[metric.name]}' and '{name}' both have a metric that is logged as "
                    f"'{metric.name}': give each an object and a name of its own."
                )
            logged[metric.name] = name
    return found


def _metric(output: str, given: Any) -> keras.metrics.Metric:
    if isinstance(given, list | tuple | Mapping):
        raise UsageError(f"The metrics of output '{output}' hold a {type(given).__name__}: expected a flat list.")
    if isinstance(given, str) and given.lower() in BY_SHAPE:
        metric: Any = keras.metrics.MeanMetricWrapper(by_shape.accuracy, name=given)
    else:
        metric = keras.metrics.get(given)
    if not isinstance(metric, keras.metrics.Metric):
        metric = keras.metrics.MeanMetricWrapper(metric, name=metric.__name__)
    if not metric.name.startswith(f"{output}_"):
        metric.name = f"{output}_{metric.name}"
    return metric
