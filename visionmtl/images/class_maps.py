"""Class maps in the pixels of a picture, whose logits there are never there as a whole."""

from typing import Any

import tensorflow as tf

from visionmtl.images.interpolation import between, neighbours, spread
from visionmtl.images.plain import PLAIN
from visionmtl.images.resizing import WHOLE, crop_resize, rows_of

FLOAT = 4  # bytes
BAND = 32 << 20  # bytes of the logits of a band of a class map
BYTE = 256  # classes that fit into one


def class_map(logits: tf.Tensor, size: Any, window: tf.Tensor | None = None, most: int = BAND) -> tf.Tensor:
    """Return the largest of logits `[B, h, w, C]` in each pixel of a picture, int32 `[B, H, W]`.

    The logits of a large picture, a float for each class of each of its pixels, are never there as a whole: bands of
    its rows are made in turn.

    Args:
        logits: float32, of the network's input.
        size: height and width of the picture; may be a tensor.
        window: y0, x0, y1, x1 of the picture as fractions of the input; None for the whole.
        most: bytes of the logits of a band.
    """
    batch, classes = logits.shape[0], logits.shape[3]

    if PLAIN.get() is not None:
        return _plain_class_map(logits, size, WHOLE if window is None else window)

    def at_once() -> tf.Tensor:
        return _largest(crop_resize(logits, size, window))

    if not tf.is_tensor(size) and (batch or 1) * size[0] * size[1] * classes * FLOAT <= most:
        return at_once()
    height, width = tf.unstack(tf.convert_to_tensor(size, tf.int32))
    row = tf.maximum(tf.shape(logits)[0] * width * classes * FLOAT, 1)
    rows = tf.clip_by_value(most // row, 1, height)

    def in_bands() -> tf.Tensor:
        return _in_bands(logits, tf.stack([height, width]), window, rows)

    found = tf.cond(tf.equal(rows, height), at_once, in_bands)
    return found if tf.is_tensor(size) else tf.ensure_shape(found, (batch, *size))


def _plain_class_map(logits: tf.Tensor, size: Any, window: Any) -> tf.Tensor:
    """Return what `class_map` does, of plain operations alone.

    What is interpolated lies along the first axis, whose slices are copied and weighed as a whole: several times as
    fast as pixel by pixel. The columns come first, as long as there are few rows, and classes stay the last axis, the
    only one along which LiteRT is quick to find the largest.
    """
    height, width = tf.unstack(tf.convert_to_tensor(size, tf.int32))
    rows, columns = tf.shape(logits)[1], tf.shape(logits)[2]
    window = tf.convert_to_tensor(window, tf.float32)
    across = neighbours(spread(columns, width, window[1], window[3]), columns)
    down = neighbours(spread(rows, height, window[0], window[2]), rows)
    wide = between(tf.transpose(logits, (2, 0, 1, 3)), *across)  # [W, B, h, C]
    if PLAIN.get() and logits.shape[3] <= BYTE:
        return _class_by_class(tf.transpose(wide, (3, 2, 1, 0)), *down)
    whole = between(tf.transpose(wide, (2, 1, 0, 3)), *down)  # [H, B, W, C]
    return tf.transpose(tf.argmax(whole, axis=-1, output_type=tf.int32), (1, 0, 2))


def _class_by_class(maps: tf.Tensor, low: tf.Tensor, high: tf.Tensor, along: tf.Tensor) -> tf.Tensor:
    """Return which of the maps `[C, h, B, W]` is the largest between neighbours of `h`, int32 `[B, H, W]`."""
    first, *others = (plane[:, :, None] for plane in tf.unstack(maps))  # [h, B, 1, W]
    best = between(first, low, high, along)
    classes = tf.zeros_like(best, tf.uint8)
    for number, plane in enumerate(others, 1):
        # as it is, but not before the class before it is done: else a runtime may make all of them first, and keep them
        turn = tf.minimum(plane, tf.abs(best[:1, :1, :1, :1]) + tf.float32.max)
        own = between(turn, low, high, along)
        classes = tf.where(own > best, tf.constant(number, tf.uint8), classes)
        best = tf.maximum(best, own)
    return tf.cast(tf.transpose(classes[:, :, 0], (1, 0, 2)), tf.int32)


def _largest(logits: tf.Tensor) -> tf.Tensor:
    """Return which of logits `[B, H, W, C]` is the largest, int32 `[B, H, W]`.

    Of a matrix they are found in two thirds of the time that four axes take.
    """
    found = tf.argmax(tf.reshape(logits, (-1, logits.shape[-1])), axis=-1, output_type=tf.int32)
    return tf.ensure_shape(tf.reshape(found, tf.shape(logits)[:-1]), logits.shape[:-1])


def _in_bands(logits: tf.Tensor, size: tf.Tensor, window: Any, rows: tf.Tensor) -> tf.Tensor:
    """Return what `class_map` does, made of bands of so many rows."""
    height, width = tf.unstack(size)
    bands = -(-height // rows)
    ids = tf.uint8 if logits.shape[3] <= BYTE else tf.int32
    made = tf.TensorArray(ids, bands, element_shape=(logits.shape[0], None, None))

    def band(number: tf.Tensor, made: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        first = number * rows
        resized = rows_of(logits, size, window, first, rows)
        return number + 1, made.write(number, tf.cast(_largest(resized), ids))

    start = (tf.constant(0), made)
    _, made = tf.while_loop(lambda number, _: number < bands, band, start, parallel_iterations=1)
    stacked = made.stack()
    if logits.shape[0] != 1:
        stacked = tf.transpose(stacked, (1, 0, 2, 3))
    joined = tf.reshape(stacked, (tf.shape(logits)[0], bands * rows, width))
    return tf.cast(joined[:, :height], tf.int32)
