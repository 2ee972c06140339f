"""The forms that labels may come in, brought to that of the contract or refused in a sentence."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from visionmtl.errors import UsageError, shape_of

Size = tuple[int, int]


def tensor(task: str, given: Any, expected: str) -> tf.Tensor:
    """Return a label as a tensor of numbers.

    Args:
        task: whose label it is.
        given: anything.
        expected: its form in words, such as "class ids [B]".

    Raises:
        UsageError: it is a dictionary, ragged, or of strings.
    """
    if isinstance(given, Mapping):
        raise UsageError(
            f"The labels of '{task}' are a dictionary of {', '.join(map(str, given))}: expected {expected}."
        )
    if isinstance(given, tf.RaggedTensor | tf.SparseTensor):
        form = type(given).__name__
        raise UsageError(f"The labels of '{task}' are a {form}: expected {expected}; pad them and call to_tensor().")
    labels = tf.convert_to_tensor(given)
    if not (labels.dtype.is_floating or labels.dtype.is_integer or labels.dtype.is_bool):
        raise UsageError(f"The labels of '{task}' are of dtype {labels.dtype.name}: expected {expected}, as numbers.")
    return labels


def wrong_form(task: str, labels: tf.Tensor, expected: str) -> UsageError:
    """Return the error that says what shape labels have and what was expected."""
    return UsageError(f"The labels of '{task}' have the shape {shape_of(labels)}: expected {expected}.")


def whole(labels: tf.Tensor) -> tf.Tensor:
    """Return numbers as int32; one that is not whole becomes the least there is, which is no class anywhere."""
    if not labels.dtype.is_floating:
        return tf.cast(labels, tf.int32)
    return tf.where(labels == tf.floor(labels), tf.cast(labels, tf.int32), tf.int32.min)


def class_ids(task: str, given: Any, classes: int) -> tf.Tensor:
    """Return class ids int32 `[B]` of ids `[B]` or `[B, 1]`, or of one-hot labels `[B, C]`."""
    expected = f"class ids [B] of 0 to {classes - 1}, or one-hot labels [B, {classes}]"
    labels = tensor(task, given, expected)
    if labels.shape.rank == 2 and labels.shape[1] == classes and classes > 1:
        return tf.argmax(labels, axis=1, output_type=tf.int32)
    if labels.shape.rank == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape.rank != 1:
        raise wrong_form(task, labels, expected)
    return whole(labels)


def presence(task: str, given: Any, classes: int) -> tf.Tensor:
    """Return presence float32 `[B, C]`, also of `[B]` where there is one class."""
    expected = f"[B, {classes}] of 1 (present), 0 (absent) and -1 (not known)"
    labels = tensor(task, given, expected)
    if labels.shape.rank == 1 and classes == 1:
        labels = labels[:, None]
    if labels.shape.rank != 2 or labels.shape[1] not in (classes, None):
        raise wrong_form(task, labels, expected)
    return tf.cast(labels, tf.float32)


def pixels(task: str, given: Any, size: Size, what: str, classes: int = 0) -> tf.Tensor:
    """Return a map `[B, H, W]` of `[B, H, W]` or `[B, H, W, 1]`, or of one-hot labels `[B, H, W, C]`."""
    height, width = size
    expected = f"{what} [B, {height}, {width}], the size of the images"
    labels = tensor(task, given, expected)
    if labels.shape.rank == 4 and labels.shape[3] == 1:
        labels = labels[..., 0]
    if labels.shape.rank == 4 and labels.shape[3] == classes:
        labels = tf.argmax(labels, axis=3, output_type=tf.int32)
    if labels.shape.rank != 3 or any(
        known not in (own, None) for known, own in zip(labels.shape[1:], size, strict=True)
    ):
        raise wrong_form(task, labels, expected)
    return labels


def objects(task: str, given: Any) -> dict[str, tf.Tensor]:
    """Return boxes float32 `[B, M, 4]` and classes int32 `[B, M]`, of one row of padding where M is 0."""
    expected = "{'boxes': [B, M, 4], 'classes': [B, M]}, boxes as x_min, y_min, x_max, y_max in pixels of the image"
    if not isinstance(given, Mapping):
        form = f"an array of shape {shape_of(tensor(task, given, expected))}"
        raise UsageError(f"The labels of '{task}' are {form}: expected a dictionary {expected}.")
    for key in ("boxes", "classes"):
        if key not in given:
            there = ", ".join(map(str, given)) or "no key"
            raise UsageError(f"The labels of '{task}' have {there} and no '{key}': expected {expected}.")
    boxes = tf.cast(tensor(task, given["boxes"], expected), tf.float32)
    classes = whole(tensor(task, given["classes"], expected))
    if classes.shape.rank == 3 and classes.shape[2] == 1:
        classes = classes[..., 0]
    if boxes.shape.rank != 3 or boxes.shape[2] not in (4, None):
        raise wrong_form(task, boxes, expected)
    if classes.shape.rank != 2 or (None not in (rows := (boxes.shape[1], classes.shape[1])) and rows[0] != rows[1]):
        raise UsageError(
            f"The labels of '{task}' have boxes {shape_of(boxes)} and classes {shape_of(classes)}: a class is expected "
            f"for each box, {expected}."
        )
    if boxes.shape[1] == 0:
        boxes = tf.pad(boxes, [[0, 0], [0, 1], [0, 0]])
        classes = tf.pad(classes, [[0, 0], [0, 1]], constant_values=-1)
    return {"boxes": boxes, "classes": classes}
