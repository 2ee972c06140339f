"""The header of a WebP in graph: its EXIF and XMP, and whether it is animated."""

import tensorflow as tf

from visionmtl.export.decoding.content import MOST, Found, number, part, starts

ANIMATED, HAS_XMP, HAS_EXIF = 0x02, 0x04, 0x08  # flags of an extended file, the only kind that has more than pixels
MOVES = "An animated WebP is not read here: save one picture of it as PNG."


def header(encoded: tf.Tensor) -> Found:
    """Return what lies beside the pixels of a WebP, a scalar string."""
    data = tf.io.decode_raw(encoded, tf.uint8)
    flags = tf.where(starts(encoded, b"VP8X", 12), number(data, 20, 1), 0)

    def has(flag: int) -> tf.Tensor:
        return tf.not_equal(tf.bitwise.bitwise_and(flags, flag), 0)

    def ahead(place: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return (place + 8 <= tf.size(data)) & (has(HAS_EXIF) | has(HAS_XMP))

    def step(place: tf.Tensor, exif: tf.Tensor, xmp: tf.Tensor) -> tuple[tf.Tensor, ...]:
        length = tf.minimum(tf.maximum(number(data, place + 4, 4, little=True), 0), tf.size(data))

        def first(known: tf.Tensor, kind: bytes, flag: int) -> tf.Tensor:
            meant = has(flag) & tf.equal(known, "") & starts(encoded, kind, place)
            return tf.where(meant, part(encoded, place + 8, length), known)

        exif, xmp = first(exif, b"EXIF", HAS_EXIF), first(xmp, b"XMP ", HAS_XMP)
        return place + 8 + length + length % 2, exif, xmp

    none = (tf.constant(12), tf.constant(""), tf.constant(""))
    _, exif, xmp = tf.while_loop(ahead, step, none, parallel_iterations=1, maximum_iterations=MOST)
    return Found(exif, xmp, tf.where(has(ANIMATED), MOVES, ""))
