"""Labels and weights given as NumPy arrays: Keras splits and batches them only if they are of one structure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError, nearest


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
    _check_numbers("images", images)
    labels = _arrays(labels)
    _check_list(images, labels)
    if isinstance(given.get("sample_weight"), Mapping):
        given["sample_weight"] = weights_like(labels, given["sample_weight"])
    held_back = given.get("validation_data")
    if isinstance(held_back, tuple | list) and len(held_back) > 1:
        theirs = _arrays(held_back[1])
        further = [weights_like(theirs, each) if isinstance(each, Mapping) else each for each in held_back[2:]]
        given["validation_data"] = (held_back[0], theirs, *further)
    return labels


def _arrays(labels: Any) -> Any:
    """Return labels by task with lists as arrays, which Keras would take for a structure of many labels."""
    if not isinstance(labels, Mapping):
        return labels
    return {
        task: {key: _array(task, each) for key, each in label.items()}
        if isinstance(label, Mapping)
        else _array(task, label)
        for task, label in labels.items()
    }


def _array(task: str, label: Any) -> Any:
    if isinstance(label, list | tuple):
        try:
            label = np.asarray(label)
        except ValueError:
            raise UsageError(
                f"The labels of '{task}' are lists of unequal lengths: fill them up to one, boxes with any numbers and"
                " the class -1."
            ) from None
    _check_numbers(f"labels of '{task}'", label)
    return label


def _check_numbers(what: str, given: Any) -> None:
    """Refuse an array of objects or texts."""
    kind = getattr(getattr(given, "dtype", None), "kind", "")
    if kind and kind in "OSUT":
        form = "of objects, as of rows that differ in length" if kind == "O" else "of texts"
        raise UsageError(
            f"The {what} are an array {form}: expected numbers. Texts are numbered in the order of the task's classes, "
            "from 0; rows that differ in length are filled up, boxes with any numbers and the class -1."
        )


def _check_list(images: Any, labels: Any) -> None:
    """Refuse a list of pictures, one for each label, where Keras takes a list of inputs."""
    if isinstance(images, list | tuple) and isinstance(labels, Mapping) and labels:
        count = len(np.atleast_1d(tf.nest.flatten(labels)[0]))
        if len(images) == count and any(len(np.atleast_1d(image)) != count for image in images):
            raise UsageError(
                f"The images are a {type(images).__name__} of {count}, which Keras takes for {count} inputs: make one "
                "array of them, by np.stack(images), all of one size."
            )


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
        weight = np.ones(len(leaves[0]), "float32") if weight is None else weight
        own[task] = tf.nest.map_structure(lambda leaf, weight=weight: weight, label)
    return own
