"""What a reduced precision costs: each task's metric on labelled pictures, of the model and of its export."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.drawing import samples
from visionmtl.model import MultiTaskModel
from visionmtl.model.evaluation import Evaluation

AT_ONCE = 64  # pictures that a process is given
ROUNDING = 1e-9

Batch = tuple[Any, Mapping[str, Any], Mapping[str, Any]]  # images, labels, weights
Answers = Callable[[Sequence[np.ndarray]], Iterable[Mapping[str, np.ndarray]]]
Predicted = tuple[Batch, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """The metric of a task, of the model and of an export.

    Attributes:
        task: its name.
        metric: the one that stands for it, of which more is better.
        model: that of the model.
        export: that of the export.
    """

    task: str
    metric: str
    model: float
    export: float

    def within(self, bound: float) -> bool:
        """Whether the export loses no more than a bound; where the model has no value there is none to lose."""
        return bool(np.isnan(self.model) or self.model - self.export <= bound + ROUNDING)

    def __str__(self) -> str:
        return f"{self.task}'s {self.metric} is {self.export:.3f} in place of {self.model:.3f}"


@dataclass(frozen=True)
class Trial:
    """Labelled pictures on which an export is measured, and what it may lose there.

    Attributes:
        batches: `(images, labels, weights)` as the model is trained on, read anew for each export.
        bound: of the metric of each task, as 0.01.
    """

    batches: Iterable[Batch]
    bound: float


def by_model(model: MultiTaskModel, batches: Iterable[Batch]) -> dict[str, float]:
    """Return the metric of each task of a model."""

    def decoded(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return model.decode(model(images, training=False))

    decode = tf.function(decoded, reduce_retracing=True, autograph=False)
    return _results(model, ((batch, decode(tf.cast(batch[0], tf.float32))) for batch in batches))


def by_export(model: MultiTaskModel, batches: Iterable[Batch], answers: Answers) -> dict[str, float]:
    """Return the metric of each task of an export.

    Args:
        model: that was exported.
        batches: as of `by_model`.
        answers: returns what is exported answers to each of some pictures, with all objects.
    """
    return _results(model, _answered(batches, answers))


def changes(model: MultiTaskModel, before: Mapping[str, float], after: Mapping[str, float]) -> list[Change]:
    """Return what the metrics of a model's tasks were, and are."""
    return [Change(name, task.primary, before[name], after[name]) for name, task in model.tasks.items()]


def _answered(batches: Iterable[Batch], answers: Answers) -> Iterator[Predicted]:
    """Yield batches with the answers to their pictures."""
    for several in _together(batches):
        pictures = [picture for images, _, _ in several for picture in np.rint(images).astype(np.uint8)]
        answered = iter(answers(pictures))
        for batch in several:
            own = [next(answered) for _ in range(len(batch[0]))]
            yield batch, {key: np.concatenate([each[key] for each in own]) for key in own[0]}


def _together(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Yield lists of batches, each of about as many pictures as a process is given."""
    waiting: list[Batch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(each[0]) for each in waiting) >= AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _results(model: MultiTaskModel, predicted: Iterable[Predicted]) -> dict[str, float]:
    evaluation = Evaluation(model.tasks)
    for (_, labels, weights), found in predicted:
        own = {name: labels[name] for name in model.tasks if name in labels}
        by_task = {name: samples.of_task(found, name, model.tasks) for name in own}
        statistics = evaluation.statistics(own, by_task, weights)
        of_one = tf.nest.map_structure(lambda value: (np.asarray(value),), statistics)
        evaluation.update(of_one, 1)
    results = evaluation.results()
    return {name: results[name].get(task.primary, np.nan) for name, task in model.tasks.items()}
