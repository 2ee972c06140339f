"""Labels and weights given as NumPy arrays: Keras splits and batches them only if they are of one structure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError, nearest
from visionmtl.step import given as what


def prepare(model: Any, given: dict[str, Any], images: Any, labels: Any) -> Any:
    """Return labels as `fit` and `evaluate` of Keras take them, and bring the weights beside them to their structure.

    Args:
        model: whose `fit` or `evaluate` is called.
        given: the keyword arguments; `sample_weight`, and `validation_data`, are changed.
        images: `x`.
        labels: `y`, arrays or lists by task, or None where there is a data set.

    Raises:
        UsageError: the model is not compiled, what is given is no array of numbers, or there is a weight of classes,
            which a balancer would not see.
    """
    if not model.compiled:
        raise UsageError("The model is not compiled: call model.compile(...), which says how it learns, before.")
    if given.get("class_weight") is not None:
        raise UsageError("class_weight is for one task alone: give the weights of samples by task, as sample_weight.")
    what.check_images(images, len(model.inputs))
    what.check_split(images, given.get("validation_split"))
    labels, given["sample_weight"] = _prepared(images, labels, given.get("sample_weight"))
    held_back = given.get("validation_data")
    if isinstance(held_back, tuple | list) and len(held_back) > 1:
        what.check_images(held_back[0], len(model.inputs))
        given["validation_data"] = (held_back[0], *_prepared(*held_back, *[None][: 3 - len(held_back)]))
    return labels


def _prepared(images: Any, labels: Any, weights: Any, *further: Any) -> tuple[Any, Any]:
    """Return labels and weights as Keras takes them."""
    if further:
        raise UsageError(f"validation_data has {3 + len(further)} parts: expected images, labels and weights.")
    labels = _arrays(labels)
    if isinstance(weights, Mapping):
        what.check_counts(images, labels, weights)
        weights = weights_like(labels, weights)
    else:
        what.check_counts(images, labels)
    return labels, weights


def _arrays(labels: Any) -> Any:
    """Return labels by task with lists as arrays, which Keras would take for a structure of many labels."""
    if not isinstance(labels, Mapping):
        what.check_table("labels", labels)
        return labels
    return {
        task: {key: _array(task, each) for key, each in label.items()}
        if isinstance(label, Mapping)
        else _array(task, label)
        for task, label in labels.items()
    }


def _array(task: str, label: Any) -> Any:
    if isinstance(label, list | tuple):
        if label and isinstance(label[0], Mapping):
            raise UsageError(
                f"The labels of '{task}' are a list of dictionaries, one an image: expected one dictionary of arrays of"
                f" all images, such as {{'{next(iter(label[0]), 'boxes')}': [B, ...]}}."
            )
        try:
            label = np.asarray(label)
        except ValueError:
            raise UsageError(
                f"The labels of '{task}' are lists of unequal lengths: fill them up to one, boxes with any numbers and"
                " the class -1."
            ) from None
    what.check_numbers(f"labels of '{task}'", label)
    return label


def weights_like(labels: Any, weights: Mapping) -> Any:
    """Return weights by task as a structure like that of the labels: each array of a task's labels has its weights.

    Raises:
        UsageError: there are weights of what has no labels.
    """
    if not isinstance(labels, Mapping):
        return weights
    for name in weights:
        if name not in labels:
            raise UsageError(
                f"sample_weight has the key '{name}', of which there are no labels.{nearest(str(name), labels)}"
                f" Labels are of {', '.join(map(str, labels))}."
            )
    own = {}
    for task, label in labels.items():
        leaves = tf.nest.flatten(label)
        weight = weights.get(task)
        weight = _weight(task, 1.0 if weight is None else weight, len(leaves[0]))
        own[task] = tf.nest.map_structure(lambda leaf, weight=weight: weight, label)
    return own


def _weight(task: str, weight: Any, count: int) -> Any:
    """Return the weights of a task's samples as an array; a number is that of each."""
    if isinstance(weight, Mapping):
        raise UsageError(
            f"The weights of '{task}' are a dictionary of {', '.join(map(str, weight))}: expected a number for each"
            " sample, as of classes by np.array([1.0, 2.0])[labels]."
        )
    if isinstance(weight, list | tuple):
        weight = np.asarray(weight)
    what.check_numbers(f"weights of '{task}'", weight)
    return np.full(count, weight, "float32") if np.ndim(weight) == 0 else weight
