"""What `fit` and `evaluate` are given, checked: names and forms once per structure, while a step is traced."""

import warnings
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from visionmtl.errors import UsageError, shape_of


class Batch(NamedTuple):
    """A batch in the form of the contract.

    Attributes:
        images: the model's input.
        labels: of each task that is labelled.
        weights: `[B]` float32 of these tasks; where one is not there, every sample weighs 1.
    """

    images: Any
    labels: dict[str, Any]
    weights: dict[str, tf.Tensor]


def admitted(data: Any, tasks: Sequence[str]) -> Batch:
    """Return a batch whose labels and weights are by task, and those of no task left out.

    Args:
        data: images, labels by task and, if there are any, weights by task, `[B]` or `[B, 1]`.
        tasks: the names of the model's tasks. Some of them may be absent, and there may be labels of others.

    Raises:
        UsageError: labels or weights are not by task, none is of a task, or a name is written nearly like a task's.
    """
    images, labels, weights = unpacked(data)
    if labels is None and isinstance(images, Mapping):
        keys = [*map(str, images)]
        there = [task for task in tasks if task in keys] or [*tasks][:1]
        own = ", ".join(f"'{task}': each['{task}']" for task in there)
        first = next((key for key in keys if key not in tasks), "image")
        raise UsageError(
            f"A batch is a dictionary of {_listed(keys)}: expected images and labels by task, as by data.map(lambda"
            f" each: (each['{first}'], {{{own}}})); the tasks are {_listed(tasks)}."
        )
    weights = {} if weights is None else weights
    _check_mapping("labels", labels, tasks)
    _check_mapping("weights", weights, tasks)
    labels = {name: value for name, value in labels.items() if value is not None}
    weights = {name: value for name, value in weights.items() if value is not None}
    _check_names("labels", labels, tasks, tasks)
    _check_names("weights", weights, [task for task in tasks if task in labels], [*labels, *tasks])
    others = [name for name in labels if name not in tasks]
    absent = [task for task in tasks if task not in labels]
    if len(absent) == len(tasks):
        raise UsageError(f"A batch's labels are of {_listed(labels)}: expected some of {_listed(tasks)}.")
    if others and absent:
        warnings.warn(
            f"A batch's labels of {_listed(others)} are of no task and are left out; of {_listed(absent)} it has none, "
            "which learns nothing from it. Labels are named as the tasks.",
            stacklevel=2,
        )
    _check_axes(labels, tasks)
    of_tasks = {task: labels[task] for task in tasks if task in labels}
    return Batch(images, of_tasks, {task: _weight(task, weights[task]) for task in of_tasks if task in weights})


def unpacked(data: Any) -> tuple[Any, Any, Any]:
    """Return images, labels and weights of a batch, None where there are none.

    Raises:
        UsageError: it has more parts.
    """
    if isinstance(data, list | tuple) and len(data) > 3:
        raise UsageError(f"A batch has {len(data)} parts: expected images, labels by task and weights by task.")
    return keras.utils.unpack_x_y_sample_weight(data)


def _check_axes(labels: Mapping, tasks: Sequence[str]) -> None:
    """Refuse labels whose number of axes is not known: what a step is traced for takes no two of them."""
    for task in tasks:
        tensors = [each for each in tf.nest.flatten(labels.get(task)) if isinstance(each, tf.Tensor)]
        if any(each.shape.rank is None for each in tensors):
            raise UsageError(
                f"It is not known how many axes the labels of '{task}' have: give all batches in one form, and compile"
                " the model again where they had another before; a generator's data set says it by output_signature."
            )


def _check_mapping(what: str, given: Any, tasks: Sequence[str]) -> None:
    if isinstance(given, Mapping):
        return
    form = "were not given" if given is None else f"were given as {_form(given)}"
    example = f"{{'{tasks[0]}': ...}}" if tasks else "{}"
    raise UsageError(
        f"A batch's {what} {form}: expected a dictionary by task, such as {example}; the tasks are {_listed(tasks)}."
    )


def _check_names(what: str, given: Mapping, missing_of: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a name that is none of those known but nearly that of a task which has nothing."""
    strangers = [str(name) for name in given if name not in known]
    missing = [task for task in missing_of if task not in given]
    for stranger in strangers:
        if near := get_close_matches(stranger.lower(), [task.lower() for task in missing], n=1, cutoff=0.6):
            task = next(task for task in missing if task.lower() == near[0])
            raise UsageError(
                f"A batch's {what} have the key '{stranger}', which is no task, and none for task '{task}': did you "
                f"mean '{task}'? The tasks are {_listed(missing_of)}."
            )
    if what == "weights" and strangers and missing:
        raise UsageError(
            f"A batch's weights have the key '{strangers[0]}', which is no task, and none for {_listed(missing)}: name "
            "them as the tasks, or leave the key out."
        )


def _weight(task: str, given: Any) -> tf.Tensor:
    """Return the weights of samples as float32 `[B]`."""
    weight = tf.cast(tf.convert_to_tensor(tf.nest.flatten(given)[0]), tf.float32)  # of boxes, as of their classes
    if weight.shape.rank == 2 and weight.shape[1] == 1:
        weight = weight[:, 0]
    if weight.shape.rank not in (1, None):
        raise UsageError(
            f"A batch's weights for task '{task}' have the shape {shape_of(weight)}: expected [B], a number for each "
            "sample. What is not to count within a sample is ignored by its label, as 255 in a mask."
        )
    return weight


def _form(given: Any) -> str:
    if isinstance(given, list | tuple):
        return f"a {type(given).__name__} of {len(given)}"
    shape = getattr(given, "shape", None)
    return f"an array of shape {shape_of(given)}" if shape is not None else type(given).__name__


def _listed(names: Any) -> str:
    return ", ".join(map(str, names)) or "no task"
