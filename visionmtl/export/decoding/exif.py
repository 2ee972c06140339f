"""How a picture is to be turned upright, in graph, by the rule of `pipelines.pixels.headers`."""

import tensorflow as tf

from pipelines.pixels.headers import ORIENTATION
from visionmtl.export.decoding.content import number, starts

ENTRY = 12  # bytes of a tag: its number, type, count and value
SHORTS, LONGS, OTHERS = (3, 8), (4, 9, 13), (1, 2, 5, 6, 7, 10, 11, 12, 16)  # types: of two bytes, of four, the rest
HEADS = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0")  # the last two have their bytes swapped, and are read
IN_XMP = r'\C*?tiff:Orientation(?:="|>)([0-9])\C*'


def orientation(exif: tf.Tensor, xmp: tf.Tensor) -> tf.Tensor:
    """Return the orientation of a picture, int32 scalar, 1 to 8; 1 where what is said of it cannot be.

    The tag in the first directory of the EXIF counts, and what XMP says only where that has none.

    Args:
        exif: scalar string, a TIFF structure, perhaps after "Exif" and two zeros; empty for none.
        xmp: scalar string; empty for none.
    """
    for _ in range(2):  # some writers put it there twice
        size = tf.strings.length(exif)
        exif = tf.where(starts(exif, b"Exif\0\0"), tf.strings.substr(exif, tf.minimum(6, size), size), exif)
    known = tf.reduce_any([starts(exif, head) for head in HEADS]) & (tf.strings.length(exif) >= 8)
    told = _in_directory(exif)
    there = known & (tf.size(told) > 0)
    first = tf.reduce_max(tf.concat([told[:1], [-1]], axis=0))
    other = tf.where(known | tf.equal(exif, ""), _in_xmp(xmp), 1)
    value = tf.where(there, first, other)
    return tf.where((value >= 1) & (value <= 8), value, 1)


def _in_directory(exif: tf.Tensor) -> tf.Tensor:
    """Return what the first directory has for the tag `[N]`, from the first to the last; -1 for what is no number."""
    data = tf.io.decode_raw(exif, tf.uint8)
    little = starts(exif, b"II")
    first = number(data, 4, 4, little)
    first = tf.where(first < 0, tf.size(data), tf.minimum(first, tf.size(data)))
    count = tf.maximum(number(data, first, 2, little), 0)
    block = data[first + 2 : first + 2 + ENTRY * count]
    rows = tf.cast(tf.reshape(block[: tf.size(block) // ENTRY * ENTRY], (-1, ENTRY)), tf.int32)

    def short(column: int) -> tf.Tensor:
        one, other = rows[:, column], rows[:, column + 1]
        return tf.where(little, one + 256 * other, 256 * one + other)

    def long(column: int) -> tf.Tensor:
        one, other = short(column), short(column + 2)
        low, high = tf.where(little, one, other), tf.where(little, other, one)
        return tf.where(tf.equal(high, 0), low, -1)  # none that counts is larger

    kind, numbers = short(2), long(4)
    value = tf.where(_one_of(kind, SHORTS), short(8), tf.where(_one_of(kind, LONGS), long(8), -1))
    inline = tf.equal(numbers, 1) | _one_of(kind, SHORTS) & tf.equal(numbers, 2)  # of two, the first counts
    value = tf.where(inline, value, -1)
    meant = tf.equal(short(0), ORIENTATION) & _one_of(kind, (*SHORTS, *LONGS, *OTHERS)) & tf.not_equal(numbers, 0)
    return tf.boolean_mask(value, meant)


def _one_of(values: tf.Tensor, known: tuple[int, ...]) -> tf.Tensor:
    return tf.reduce_any(tf.equal(values[:, None], known), axis=1)


def _in_xmp(xmp: tf.Tensor) -> tf.Tensor:
    told = tf.strings.regex_full_match(xmp, IN_XMP)
    digit = tf.strings.regex_replace(xmp, f"^{IN_XMP}$", r"\1")
    return tf.strings.to_number(tf.where(told, digit, "1"), tf.int32)


def upright(picture: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
    """Turn a picture `[h, w, C]` of an orientation, 1 to 8, upright."""

    def turned() -> tf.Tensor:
        stored = tf.cond(turn >= 5, lambda: tf.transpose(picture, (1, 0, 2)), lambda: picture)
        down = tf.reduce_any(tf.equal(turn, (3, 4, 7, 8)))
        across = tf.reduce_any(tf.equal(turn, (2, 3, 6, 7)))
        return tf.reverse(stored, tf.where(tf.stack([down, across]))[:, 0])

    return tf.cond(tf.equal(turn, 1), lambda: picture, turned)
