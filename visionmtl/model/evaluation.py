"""How every task does over a split: statistics in the graph on every replica, metrics from them on the host."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from visionmtl.metrics.metric import Metric, mean_of
from visionmtl.model.gallery import Candidates, Gallery
from visionmtl.tasks import Task, ceiling
from visionmtl.workers import ALONE, Workers

Statistics = dict[str, list[dict[str, tf.Tensor]]]


class Seen(NamedTuple):
    """Of a replica's batch: what is logged, the statistics of metrics, and what a gallery may keep."""

    logs: dict[str, tf.Tensor]
    statistics: Statistics
    shown: Candidates


class Evaluation:
    """The metrics of tasks over a split.

    Args:
        tasks: by name.

    Attributes:
        metrics: each task's, by its name.
    """

    def __init__(self, tasks: Mapping[str, Task]):
        self.tasks = dict(tasks)
        self.metrics: dict[str, list[Metric]] = {name: task.metrics() for name, task in tasks.items()}

    def statistics(self, labels: Mapping, predictions: Mapping[str, Mapping], weights: Mapping | None) -> Statistics:
        """Return, in graph, what each metric needs of a batch, for the tasks whose labels are given.

        Args:
            labels: by task.
            predictions: what each of these tasks decoded, by task.
            weights: of the images `[B]`, by task; 1 where none is given.
        """
        statistics = {}
        for name, decoded in predictions.items():
            weight = None if weights is None else weights.get(name)
            samples = tf.shape(tf.nest.flatten(decoded)[0])[:1]
            weight = tf.ones(samples) if weight is None else weight
            statistics[name] = [metric.statistics(labels[name], decoded, weight) for metric in self.metrics[name]]
        return statistics

    def update(self, statistics: Mapping[str, list[dict[str, tuple]]], replicas: int) -> None:
        """Take the statistics of a batch, each a tuple of those of this many replicas."""
        for name, of_task in statistics.items():
            for metric, values in zip(self.metrics[name], of_task, strict=True):
                for replica in range(replicas):
                    metric.update({key: np.asarray(value[replica]) for key, value in values.items()})

    def results(self, details: bool = False) -> dict[str, dict[str, float]]:
        """Return each task's values so far, with those of every class if `details`."""
        return {
            name: {key: value for metric in metrics for key, value in metric.result(details=details).items()}
            for name, metrics in self.metrics.items()
        }

    def score(self, results: Mapping[str, Mapping[str, float]]) -> float:
        """Return the mean of the tasks' primary values, each up to its ceiling; NaN where no task has one."""
        values = [results[name].get(task.primary, np.nan) for name, task in self.tasks.items()]
        return mean_of(ceiling.counted(np.array(values)))

    def reset(self) -> None:
        """Forget everything seen."""
        for metrics in self.metrics.values():
            for metric in metrics:
                metric.reset()


def evaluation_step(
    strategy: tf.distribute.Strategy,
    evaluation: Evaluation,
    replica_step: Callable[[Any], Seen],
    batches: int,
    eager: bool,
    workers: Workers = ALONE,
    gallery: Gallery | None = None,
) -> Callable[[Any], dict[str, tf.Tensor]]:
    """Return a function that takes the next batches of an iterator into an evaluation, and returns what is logged.

    Args:
        strategy: over whose replicas a batch is shared.
        evaluation: what takes the statistics.
        replica_step: looks at a replica's slice of a batch.
        batches: how many it takes.
        eager: whether it runs operation by operation, for who looks for a mistake.
        workers: those of the strategy, each of which takes the statistics of all.
        gallery: of this worker's worst pictures; None for none.
    """
    replicas = strategy.num_replicas_in_sync // workers.count

    def measure(data: Any) -> Any:
        seen = strategy.run(replica_step, args=(data,))
        return tf.nest.map_structure(strategy.experimental_local_results, seen)

    if not eager:
        measure = tf.function(measure, reduce_retracing=True, autograph=False)

    def function(iterator: Any) -> dict[str, tf.Tensor]:
        logs = None
        for _, data in zip(range(batches), iterator, strict=False):
            logs, statistics, shown = measure(data)
            for part in _of_each(workers, statistics):
                evaluation.update(part, replicas)
            if gallery is not None:
                gallery.update(shown, replicas, workers)
        if logs is None:
            raise StopIteration
        return {name: value[0] for name, value in logs.items()}

    return function


def _of_each(workers: Workers, statistics: Any) -> Iterator[Any]:
    """Yield the statistics of a batch that every worker has, in their order."""
    if not workers.several:
        yield statistics
        return
    for part in workers.arrays([np.asarray(leaf) for leaf in tf.nest.flatten(statistics)]):
        yield tf.nest.pack_sequence_as(statistics, part)
