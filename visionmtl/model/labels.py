"""A batch's images and labels: in the form of the contract, and looked through for values that cannot be."""

from collections.abc import Mapping

import tensorflow as tf

from visionmtl.step.admission import Batch
from visionmtl.tasks import Task, forms
from visionmtl.tasks.faults import Found, of_images, of_weights


def formed(batch: Batch, tasks: Mapping[str, Task], shape: tuple[int, ...]) -> Batch:
    """Return a batch with images and labels in the form of the contract.

    Raises:
        UsageError: the images are no input of the model, or labels cannot be those of their task.
    """
    height, width, _ = shape
    images = forms.images(batch.images, shape)
    labels = {name: tasks[name].form(label, (height, width)) for name, label in batch.labels.items()}
    return batch._replace(images=images, labels=labels)


def faults(batch: Batch, tasks: Mapping[str, Task], size: tuple[int, int]) -> Found:
    """Return, in graph, what is wrong with the values of a batch, by the sentence that tells it."""
    found = of_images(batch.images)
    for name, label in batch.labels.items():
        images = tf.shape(tf.nest.flatten(label)[0])[:1]
        known = batch.weights[name] > 0 if name in batch.weights else tf.fill(images, True)
        found |= tasks[name].faults(label, known, size)
        found |= of_weights(name, batch.weights[name]) if name in batch.weights else {}
    return found
