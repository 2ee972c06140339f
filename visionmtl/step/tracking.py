"""The running means that a training logs: of the tasks' losses, of their weights, and of metrics."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import tensorflow as tf

Means = Mapping[str, keras.metrics.Mean]


def means(names: Iterable[str]) -> dict[str, keras.metrics.Mean]:
    """Return a running mean for each name."""
    return {name: keras.metrics.Mean(name=name) for name in names}


def follow(trackers: Means, values: tf.Tensor, counts: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
    """Take values `[K]`, that count as often as `counts` `[K]` says, into K running means and return these."""
    often = [None] * len(trackers) if counts is None else tf.unstack(counts)
    logs = {}
    for (name, tracker), value, count in zip(trackers.items(), tf.unstack(values), often, strict=True):
        tracker.update_state(value, sample_weight=count)
        logs[name] = tracker.result()
    return logs


def mean_losses(trackers: Means, scalarise: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> dict[str, float]:
    """Return the running means of the losses, and as `loss` what a balancer makes of them together.

    Unlike the running mean of the batches' `loss`, that does not depend on how samples fell into batches.
    """
    losses = {name: float(tracker.result()) for name, tracker in trackers.items()}
    present = [float(tracker.count > 0) for tracker in trackers.values()]
    return {"loss": float(scalarise(tf.constant(list(losses.values())), tf.constant(present)))} | losses


def follow_metrics(
    metrics: Mapping[str, list[keras.metrics.Metric]], labels: Mapping, outputs: Mapping, weights: Mapping | None
) -> dict[str, Any]:
    """Take a batch into the Keras metrics of each output that has labels and return these."""
    logs = {}
    for name, of_output in metrics.items():
        if labels.get(name) is None:
            continue
        for metric in of_output:
            metric.update_state(labels[name], outputs[name], None if weights is None else weights.get(name))
            logs[metric.name] = metric.result()
    return logs
