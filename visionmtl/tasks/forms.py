"""The forms that labels may come in, brought to that of the contract or refused in a sentence."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from visionmtl.errors import UsageError, shape_of

Size = tuple[int, int]
NO_CLASS = tf.int32.min  # what labels become that are no class id, for `faults.ids` to tell
INPUT = "image"  # the name of a model's input


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
    """Return numbers as int32; one that is not whole becomes NO_CLASS."""
    if not labels.dtype.is_floating:
        return tf.cast(labels, tf.int32)
    return tf.where(labels == tf.floor(labels), tf.cast(labels, tf.int32), NO_CLASS)


def of_one_hot(labels: tf.Tensor) -> tf.Tensor:
    """Return class ids int32 `[...]` of one-hot labels `[..., C]`; a row that has not one 1 and else 0 is NO_CLASS."""
    labels = tf.cast(labels, tf.float32)
    single = tf.reduce_all((labels == 0) | (labels == 1), axis=-1) & (tf.reduce_sum(labels, axis=-1) == 1)
    return tf.where(single, tf.argmax(labels, axis=-1, output_type=tf.int32), NO_CLASS)


def class_ids(task: str, given: Any, classes: int) -> tf.Tensor:
    """Return class ids int32 `[B]` of ids `[B]` or `[B, 1]`, or of one-hot labels `[B, C]`."""
    expected = f"class ids [B] of 0 to {classes - 1}, or one-hot labels [B, {classes}]"
    labels = tensor(task, given, expected)
    if labels.shape.rank == 2 and labels.shape[1] == classes and classes > 1:
        return of_one_hot(labels)
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


def images(given: Any, shape: tuple[int, ...]) -> tf.Tensor:
    """Return a batch's images, which are known to be of the form that a model takes.

    Args:
        given: an array of them, or a dictionary of one by the name of the input, as Keras takes it too.
        shape: height, width and channels.

    Raises:
        UsageError: they are no array, or one of another shape.
    """
    expected = tf.TensorShape((None, *shape))
    form = f"[B, {', '.join(map(str, shape))}]"
    if isinstance(given, Mapping) and [*given] == [INPUT]:
        given = given[INPUT]
    if getattr(given, "shape", None) is None:
        keys = f" of {', '.join(map(str, given))}" if isinstance(given, Mapping) else ""
        raise UsageError(f"The images are of type {type(given).__name__}{keys}: expected an array {form}.")
    own = tf.TensorShape(given.shape)
    if not own.is_compatible_with(expected):
        raise UsageError(f"The images have the shape {shape_of(given)}: expected {form}{_remedy(own, shape)}")
    return given if own[1:].is_fully_defined() else tf.ensure_shape(given, expected)


def _remedy(own: tf.TensorShape, shape: tuple[int, ...]) -> str:
    """Say what makes images of one shape those of another, as far as that can be told."""
    channels = shape[-1]
    if own.rank == 4 and own[-1] != channels and own[1] == channels:
        return ". Their channels come first: transpose them, by np.transpose(images, (0, 2, 3, 1))."
    if own.rank == 3 and own.is_compatible_with(shape):
        return ". One picture is images[None]; a data set of single pictures is batched, by data.batch(8)."
    if own.rank == 3:
        return ". Grey pictures need channels: np.repeat(images[..., None], 3, axis=-1). One picture is images[None]."
    if own.rank == 4 and own[-1] == 1:
        return ". Grey pictures are repeated in every channel: np.repeat(images, 3, axis=-1)."
    if own.rank == 4 and own[-1] == 4:
        return ". The fourth channel, alpha, is left out by images[..., :3]."
    if own.rank == 4 and own[-1] == channels:
        return ". Resize them with their labels, or build the model with image_shape of this size."
    return ", of red, green and blue."


def pixels(task: str, given: Any, size: Size, what: str, classes: int = 0) -> tf.Tensor:
    """Return a map `[B, H, W]` of `[B, H, W]` or `[B, H, W, 1]`, or of one-hot labels `[B, H, W, C]`."""
    height, width = size
    expected = f"{what} [B, {height}, {width}], the size of the images"
    labels = tensor(task, given, expected)
    if labels.shape.rank == 4 and labels.shape[3] == 1:
        labels = labels[..., 0]
    if labels.shape.rank == 4 and labels.shape[3] == classes:
        labels = of_one_hot(labels)
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
    if boxes.shape[1] in (0, None):  # of padded batches no number of rows is known, and one may have no object at all
        more = tf.cast(tf.shape(boxes)[1] == 0, tf.int32)
        boxes = tf.pad(boxes, [[0, 0], [0, more], [0, 0]])
        classes = tf.pad(classes, [[0, 0], [0, more]], constant_values=-1)
    return {"boxes": boxes, "classes": classes}
