"""The running means that a training logs: of the tasks' losses, of their weights, and of metrics."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import keras
import tensorflow as tf

from visionmtl.step.distributed import forget
from visionmtl.step.task_losses import TaskLosses

Means = Mapping[str, keras.metrics.Mean]


def means(names: Iterable[str]) -> dict[str, keras.metrics.Mean]:
    """Return a running mean for each name."""
    return {name: keras.metrics.Mean(name=name) for name in names}


def follow(trackers: Means, values: tf.Tensor, counts: tf.Tensor | None = None) -> None:
    """Take values `[K]`, that count as often as `counts` `[K]` says, into K running means."""
    often = [None] * len(trackers) if counts is None else tf.unstack(counts)
    for tracker, value, count in zip(trackers.values(), tf.unstack(values), often, strict=True):
        tracker.update_state(value, sample_weight=count)


def results(trackers: Mapping[str, keras.metrics.Metric]) -> dict[str, tf.Tensor]:
    """Return what running means, or metrics, are by now."""
    return {name: tracker.result() for name, tracker in trackers.items()}


class Losses:
    """The running means of a training's or an evaluation's losses, in which every sample counts alike.

    It is no metric itself, lest the model saves it: that of what is no task's is nobody's business later.

    Args:
        total: the mean of what is minimised.
        tasks: the means of the tasks' losses, by the names of their logs.
    """

    def __init__(self, total: keras.metrics.Mean, tasks: Means):
        self.total, self.tasks, self.others = total, tasks, keras.metrics.Mean(name="other_losses")

    def follow(self, total: tf.Tensor, others: tf.Tensor, losses: TaskLosses) -> None:
        """Take a batch's losses, those that are no task's too."""
        self.total.update_state(total, sample_weight=losses.samples)
        self.others.update_state(others, sample_weight=losses.samples)
        follow(self.tasks, losses.means, losses.counts)

    def results(self) -> dict[str, tf.Tensor]:
        """Return the means of the total and of the tasks' losses."""
        return {"loss": self.total.result()} | results(self.tasks)

    def means(
        self,
        scalarise: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
        counted: Callable[[Sequence[keras.metrics.Mean]], Sequence[Sequence[tf.Tensor]]],
    ) -> dict[str, float]:
        """Return the tasks' means, and as `loss` what a balancer makes of them, with what is no task's.

        Unlike the running mean of the batches' `loss`, that does not depend on how samples fell into batches.

        Args:
            scalarise: the balancer's.
            counted: returns what the variables of each mean hold, its total and its count.
        """
        trackers = [*self.tasks.values(), self.others]
        held = counted(trackers)
        *own, others = (float(each.stateless_result(values)) for each, values in zip(trackers, held, strict=True))
        present = [float(count > 0) for _, count in held[:-1]]
        losses = dict(zip(self.tasks, own, strict=True))
        return {"loss": float(scalarise(tf.constant(own), tf.constant(present))) + others} | losses

    def reset(self) -> None:
        """Forget what is no metric of the model, which resets its own."""
        forget(self.others)


def follow_metrics(
    metrics: Mapping[str, list[keras.metrics.Metric]], labels: Mapping, outputs: Mapping, weights: Mapping | None
) -> dict[str, keras.metrics.Metric]:
    """Take a batch into the Keras metrics of each output that has labels and return these by name."""
    followed = {}
    for name, of_output in metrics.items():
        if labels.get(name) is None:
            continue
        for metric in of_output:
            metric.update_state(labels[name], outputs[name], None if weights is None else weights.get(name))
            followed[metric.name] = metric
    return followed
