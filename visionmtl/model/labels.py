"""A batch's labels, task by task: brought to the form of the contract, and looked through for values that cannot be."""

from collections.abc import Mapping

import tensorflow as tf

from visionmtl.step.admission import Batch
from visionmtl.tasks import Task
from visionmtl.tasks.faults import Found, of_images


def formed(batch: Batch, tasks: Mapping[str, Task], size: tuple[int, int]) -> Batch:
    """Return a batch with labels in the form of the contract.

    Raises:
        UsageError: they cannot be labels of their task.
    """
    return batch._replace(labels={name: tasks[name].form(label, size) for name, label in batch.labels.items()})


def faults(batch: Batch, tasks: Mapping[str, Task], size: tuple[int, int]) -> Found:
    """Return, in graph, what is wrong with the values of a batch, by the sentence that tells it."""
    found = of_images(batch.images)
    for name, label in batch.labels.items():
        images = tf.shape(tf.nest.flatten(label)[0])[:1]
        known = batch.weights[name] > 0 if name in batch.weights else tf.fill(images, True)
        found |= tasks[name].faults(label, known, size)
    return found
