"""Images and their labels made smaller in a training step, in operations that every device has."""

from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError, shape_of

Size = tuple[int, int]  # height and width in pixels


def images(given: tf.Tensor, size: Size) -> tf.Tensor:
    """Return images `[B, H, W, C]` at a smaller size, float32 `[B, h, w, C]`: of each pixel, the mean of its area."""
    rows, columns = (tf.constant(areas(*pair)) for pair in zip(given.shape[1:3], size, strict=True))
    height, width, channels = given.shape[1:]
    flat = tf.reshape(tf.cast(given, tf.float32), (-1, height, width * channels))
    shorter = tf.reshape(tf.matmul(rows[None], flat), (-1, width, channels))
    return tf.reshape(tf.matmul(columns[None], shorter), (-1, *size, channels))


def areas(long: int, short: int) -> np.ndarray:
    """Return by how much each of `long` pixels in a row counts for each of the `short` that cover them.

    Returns:
        float32 `[short, long]`, of which each row adds up to one.

    Example:
        >>> areas(4, 2).tolist()
        [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    edges = np.arange(short + 1) * (long / short)
    begins, ends = np.maximum(edges[:-1, None], np.arange(long)), np.minimum(edges[1:, None], np.arange(1, long + 1))
    return (np.maximum(ends - begins, 0) * (short / long)).astype(np.float32)


def labels(task: Any, given: Any, before: Size, size: Size) -> Any:
    """Return a batch's labels of a task for images of a smaller size.

    Boxes are scaled, maps of the images' pixels take the label of the pixel in the middle, and what is of a whole image
    stays. A task whose labels are of another form says how by a method `shrunk(labels, before, size)`.

    Args:
        task: whose.
        given: in the form of the contract.
        before: the images' size as yet.
        size: the smaller one.

    Raises:
        UsageError: they are of another form, and the task does not say how.
    """
    if hasattr(task, "shrunk"):
        return task.shrunk(given, before, size)
    if isinstance(given, dict) and "boxes" in given:
        height, width = (new / old for new, old in zip(size, before, strict=True))
        return given | {"boxes": given["boxes"] * tf.constant([width, height, width, height])}
    rank = None if isinstance(given, dict) else given.shape.rank
    if rank in (1, 2):
        return given
    if rank in (3, 4) and tuple(given.shape[1:3]) == tuple(before):
        for axis, (old, new) in enumerate(zip(before, size, strict=True), start=1):
            given = tf.gather(given, ((np.arange(new) + 0.5) * (old / new)).astype(np.int32), axis=axis)
        return given
    form = f"the keys {', '.join(map(str, given))}" if isinstance(given, dict) else f"the shape {shape_of(given)}"
    raise UsageError(
        f"The labels of task '{task.name}' have {form}, and nothing says what they are of a smaller image: give"
        f" {type(task).__name__} a method shrunk(labels, before, size), or train without sizes."
    )
