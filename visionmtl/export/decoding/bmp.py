"""The header of a BMP in graph: whether its pixels are colours, uncompressed."""

import tensorflow as tf

from visionmtl.export.decoding.content import Found, number

HEADER = 40  # bytes of the shortest that says how pixels are compressed
OTHER = "A BMP is read here if it has 24 or 32 bits a pixel and is not compressed: save the picture as PNG."


def header(encoded: tf.Tensor) -> Found:
    """Return whether a BMP, a scalar string, is one that TensorFlow's decoder takes for what it is."""
    data = tf.io.decode_raw(encoded, tf.uint8)
    size, depth, compression = (number(data, place, count, little=True) for place, count in ((14, 4), (28, 2), (30, 4)))
    plain = (size >= HEADER) & (tf.equal(depth, 24) | tf.equal(depth, 32)) & tf.equal(compression, 0)
    return Found(tf.constant(""), tf.constant(""), tf.where(plain, "", OTHER))
