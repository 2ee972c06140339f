"""Values between neighbours along an axis: where they lie, and what they are."""

import tensorflow as tf


def spread(
    extent: tf.Tensor, count: tf.Tensor, first: tf.Tensor, last: tf.Tensor, some: tf.Tensor | None = None
) -> tf.Tensor:
    """Return where `count` values lie among `extent`, spread from `first` to `last` of them: float32 `[count]`.

    Args:
        extent: how many values there are.
        count: how many are spread.
        first: as a fraction of the extent.
        last: likewise.
        some: numbers of those that are wanted; None for all.
    """
    size = tf.cast(extent, tf.float32)
    # Converters would fold a constant divisor into the places, and round otherwise.
    step = size * (last - first) / tf.maximum(tf.cast(count, tf.float32), -size)
    numbers = tf.range(count) if some is None else some
    return (tf.cast(numbers, tf.float32) + 0.5) * step - 0.5 + first * size


def neighbours(at: tf.Tensor, extent: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Return between which two of `extent` values each of some places lies.

    Returns:
        The indices of the lower and the upper, int32 `[count]`, and how far it is from the lower to the upper, 0..1.
    """
    low, end = tf.floor(at), tf.cast(extent, tf.float32) - 1.0
    indices = (tf.cast(tf.clip_by_value(each, 0.0, end), tf.int32) for each in (low, low + 1.0))
    return *indices, at - low


def mixed(maps: tf.Tensor, axis: int, at: tf.Tensor) -> tf.Tensor:
    """Return what lies at some places `[count]` of an axis of maps `[B, h, w, C]`, 1 or 2, between its values."""
    low, high, along = neighbours(at, tf.shape(maps)[axis])
    lower, upper = tf.gather(maps, low, axis=axis), tf.gather(maps, high, axis=axis)
    return lower + (upper - lower) * tf.reshape(along, (-1, *[1] * (3 - axis)))


def between(values: tf.Tensor, low: tf.Tensor, high: tf.Tensor, along: tf.Tensor) -> tf.Tensor:
    """Return values `[count, ...]` between neighbours in `[n, ...]`, as `neighbours` gives them."""
    lower = tf.gather(values, low)
    return lower + (tf.gather(values, high) - lower) * along[:, None, None, None]
