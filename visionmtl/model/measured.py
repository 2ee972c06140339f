"""A balanced model that is evaluated by its tasks' own metrics, and chooses confidences by what it measured."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from visionmtl.metrics.metric import Metric
from visionmtl.model.evaluation import Evaluation, Seen, evaluation_step
from visionmtl.model.gallery import Gallery
from visionmtl.model.sizes import Sizes
from visionmtl.step import asserting
from visionmtl.step.admission import unpacked
from visionmtl.step.balanced import BalancedModel
from visionmtl.step.given import check_images
from visionmtl.step.sizes import AsGiven
from visionmtl.tasks import forms, views
from visionmtl.tasks.faults import of_images, unfinished
from visionmtl.tasks.task import READ, Task


class MeasuredModel(BalancedModel):
    """A model of `tasks`, whose `evaluate` adds every task's metrics and their mean `score`."""

    tasks: dict[str, Task]
    image_shape: tuple[int, ...]
    confidences: Any
    test_function: Any
    evaluation: Evaluation

    def train_at(self, sizes: Mapping[int, float] | None) -> None:
        """Have `fit` train on smaller images in some epochs; `compile` calls it with its `sizes`.

        Raises:
            UsageError: the sizes are none; those that the model cannot take, `fit` refuses.
        """
        self.sizes = AsGiven() if sizes is None else Sizes(self.image_size, sizes)
        self.compiled_with["sizes"] = None if sizes is None else dict(sizes)

    @property
    def looks(self) -> Any:
        """The `seeing.Looks` whose views `evaluate` merges before it measures; None for the pictures alone."""
        return getattr(self, "_looks", None)

    @looks.setter
    def looks(self, looks: Any) -> None:
        self._looks, self.test_function = looks, None  # which was made for other views

    @property
    def gallery(self) -> Gallery | None:
        """What keeps the worst pictures that `evaluate` sees, while it is open; None for nothing."""
        return getattr(self, "_gallery", None)

    @gallery.setter
    def gallery(self, gallery: Gallery | None) -> None:
        self._gallery, self.test_function = gallery, None  # which was made without it

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        raise NotImplementedError

    def raw_outputs(self, task: str, outputs: Mapping) -> dict[str, Any]:
        """Return one task's outputs out of those of the model, under the names its head gave them."""
        raise NotImplementedError

    def read_outputs(self, task: str, outputs: Mapping) -> dict[str, Any]:
        """Return what a task's `decode` reads: its raw outputs, and under `READ` the probabilities of what it reads."""
        own, other = self.raw_outputs(task, outputs), self.tasks[task].mask
        if other in self.tasks:
            own[READ] = self.tasks[other].probabilities(self.raw_outputs(other, outputs))
        return own

    @property
    def task_metrics(self) -> dict[str, list[Metric]]:
        """Each task's metric objects by name, as the last `evaluate` left them."""
        return self.evaluation.metrics

    def _replica_test_step(self, data: Any) -> Seen:
        """Return the losses so far, each metric's statistics of this replica's batch, and what its gallery may keep."""
        labels, outputs, weights, losses, logs = self._measured(data)
        images = unpacked(data)[0]
        if self.looks is None:
            raw = {name: self.read_outputs(name, outputs) for name in labels}
            predictions = {
                name: {
                    **self.tasks[name].decode(own, self.image_size),
                    **self.tasks[name].certainty(_alone(own, self.image_size)),
                }
                for name, own in raw.items()
            }
        else:
            merged = self.looks.measured(self.looks.outputs(images, outputs))
            predictions = {name: merged[name] for name in labels}
        statistics, shown = self.evaluation.statistics(labels, predictions, weights), {}
        if self.gallery is not None:
            shown = self.gallery.candidates(images, labels, predictions, losses, weights)
        return Seen(logs, statistics, shown)

    def make_test_function(self, force: bool = False) -> Any:
        """Build the evaluation step: statistics in the graph on every replica, metrics from them on the host."""
        place, batches, eager = self.distribute_strategy, self.steps_per_execution, self.run_eagerly
        if self.test_function is None or force:
            step, workers = self._replica_test_step, self.workers
            given = place, self.evaluation, step, batches, eager, workers, self.gallery
            self.test_function = evaluation_step(*given)
        return self.test_function

    def reset_metrics(self) -> None:
        """Forget what was measured."""
        super().reset_metrics()
        if self.compiled:
            self.evaluation.reset()

    def evaluate(self, *args: Any, return_dict: bool = False, **kwargs: Any) -> Any:
        """Return the losses, `<task>_<metric>` for every task, and `score`.

        That is the mean of the tasks' primary metrics, of each up to its ceiling; see `tasks.ceiling`.
        """
        super().evaluate(*args, return_dict=True, **kwargs)
        logs, results = self.running.means(self.balancer.objective, self.counted), self.task_results()
        for task, metrics in results.items():
            logs |= {f"{task}_{name}": value for name, value in metrics.items()}
        logs["score"] = self.evaluation.score(results)
        return logs if return_dict else list(logs.values())

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Return what batches' raw outputs mean, as `predict` of Keras; images that are scaled otherwise are told."""
        with asserting.told():
            return super().predict(*args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """Return what a batch's raw outputs mean, as Keras does; images that are scaled otherwise are told."""
        check_images(x)
        with asserting.told():
            return super().predict_on_batch(x)

    def predict_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Return what a batch's raw outputs mean."""
        images = forms.images(unpacked(data)[0], self.image_shape)
        bytes_only = images.dtype == tf.uint8  # within 0 to 255 by themselves, and a black frame is no mistake
        looked_at = not bytes_only and (not self.compiled or self.faults.wanted)
        found = of_images(images) | unfinished(images) if looked_at else {}
        with tf.control_dependencies(asserting.asserted(found)):
            return self.decode(self(tf.identity(images), training=False))

    def decode(self, outputs: Mapping) -> dict[str, tf.Tensor]:
        """Return what raw outputs mean."""
        raise NotImplementedError

    def task_results(self, details: bool = False) -> dict[str, dict[str, float]]:
        """Return each task's metrics of the last `evaluate`, with those of every class if `details`."""
        return self.evaluation.results(details)

    def choose_confidences(self) -> None:
        """Take for `confidences` those of the best F1 in the last `evaluate`; a task that found nothing keeps its own.

        Example:
            >>> _ = model.evaluate(validation, verbose=0)  # doctest: +SKIP
            >>> model.choose_confidences()  # doctest: +SKIP
        """
        found = {name: task.confidences(self.task_metrics[name]) for name, task in self.tasks.items()}
        self.confidences = self.confidences | {name: chosen for name, chosen in found.items() if chosen is not None}


def _alone(outputs: Mapping[str, Any], size: tuple[int, int]) -> views.Seen:
    """Return a task's raw outputs of the pictures themselves as the one view of them."""
    return views.Seen((views.View(outputs, size),))
