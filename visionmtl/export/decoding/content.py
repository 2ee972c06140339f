"""The bytes of a file in graph: numbers and strings at places that may lie beyond its end."""

from typing import NamedTuple

import tensorflow as tf

MOST = 4096  # parts of a header that are walked through: more would be meant to take long


class Found(NamedTuple):
    """What lies in a header, beside what decoders read themselves; scalar strings.

    Attributes:
        exif: a TIFF structure, perhaps after "Exif" and two zeros; empty for none.
        xmp: XMP, or what it lies in; empty for none.
        fault: why the picture is not read; empty where it is.
    """

    exif: tf.Tensor
    xmp: tf.Tensor
    fault: tf.Tensor


def number(data: tf.Tensor, place: tf.Tensor | int, size: int, little: tf.Tensor | bool = False) -> tf.Tensor:
    """Return the number of `size` bytes at a place of `data` uint8 `[N]`, int32; -1 beyond its end or 2 ** 31."""
    place = tf.clip_by_value(place, 0, tf.size(data))
    found = tf.cast(data[place : place + size], tf.int64)
    weights = tf.constant([256**power for power in range(size)], tf.int64)
    weights = tf.where(tf.convert_to_tensor(little), weights, tf.reverse(weights, [0]))
    value = tf.reduce_sum(tf.pad(found, [[0, size - tf.size(found)]]) * weights)
    return tf.cast(tf.where(tf.equal(tf.size(found), size) & (value < 2**31), value, -1), tf.int32)


def part(encoded: tf.Tensor, place: tf.Tensor | int, length: tf.Tensor | int) -> tf.Tensor:
    """Return so many bytes of a scalar string from a place on, or as many as there are."""
    place = tf.clip_by_value(place, 0, tf.strings.length(encoded))
    return tf.strings.substr(encoded, place, tf.maximum(length, 0))


def starts(encoded: tf.Tensor, sign: bytes, place: tf.Tensor | int = 0) -> tf.Tensor:
    """Whether some bytes stand at a place of a scalar string."""
    return tf.equal(part(encoded, place, len(sign)), sign)
