"""Labels and weights given as NumPy arrays: Keras splits and batches them only if they are of one structure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError


def prepare(given: dict[str, Any], labels: Any) -> None:
    """Bring the weights among the keyword arguments of `fit` or `evaluate` to the structure of the labels.

    Args:
        given: the arguments; `sample_weight`, and that of `validation_data`, are changed.
        labels: `y`, arrays by task, or None where there is a data set.

    Raises:
        UsageError: there is a weight of classes, which a balancer would not see.
    """
    if given.get("class_weight") is not None:
        raise UsageError("class_weight is for one task alone: give the weights of samples by task, as sample_weight.")
    if isinstance(given.get("sample_weight"), Mapping):
        given["sample_weight"] = weights_like(labels, given["sample_weight"])
    held_back = given.get("validation_data")
    if isinstance(held_back, tuple | list) and len(held_back) == 3 and isinstance(held_back[2], Mapping):
        given["validation_data"] = (*held_back[:2], weights_like(held_back[1], held_back[2]))


def weights_like(labels: Any, weights: Mapping) -> Any:
    """Return weights by task as a structure like that of the labels: each array of a task's labels has its weights.

    What is no task of the labels stays, so that who checks names can tell it.
    """
    if not isinstance(labels, Mapping):
        return weights
    own = {}
    for task, label in labels.items():
        leaves = tf.nest.flatten(label)
        weight = weights.get(task)
        weight = np.ones(len(leaves[0]), "float32") if weight is None else weight
        own[task] = tf.nest.map_structure(lambda leaf, weight=weight: weight, label)
    return own | {task: weight for task, weight in weights.items() if task not in labels}
