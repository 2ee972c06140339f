"""A picture of any format that is read here: its header looked at, its pixels decoded and turned upright, in graph."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from visionmtl.export.decoding import bmp, jpeg, png, webp
from visionmtl.export.decoding.content import Found, starts
from visionmtl.export.decoding.exif import orientation, upright

EMPTY = "The picture is empty: give the bytes of a JPEG, PNG, WebP or BMP file."
OTHER = "The picture is no JPEG, PNG, WebP or BMP: save it as one of them; GIF, TIFF and others are not read here."
FORMATS: tuple[
    tuple[bytes, int, Callable[[tf.Tensor], Found]], ...
] = (  # a sign, where it stands, who reads the header
    (b"\xff\xd8\xff", 0, jpeg.header),
    (b"\x89PNG\r\n\x1a\n", 0, png.header),
    (b"WEBP", 8, webp.header),
    (b"BM", 0, bmp.header),
)
COMMON = 2  # of them are decoded as in training


class Header(NamedTuple):
    """What is known of a picture before it is decoded; scalars.

    Attributes:
        fault: string, why it is not read; empty where it is.
        turn: int32, its orientation, 1 to 8.
        common: bool, whether it is a JPEG or PNG.
        deep: bool, whether it is a grey PNG of 16 bits.
    """

    fault: tf.Tensor
    turn: tf.Tensor
    common: tf.Tensor
    deep: tf.Tensor


HEADER = Header(*(tf.TensorSpec((), dtype) for dtype in (tf.string, tf.int32, tf.bool, tf.bool)))


def inspect(encoded: tf.Tensor) -> Header:
    """Look at the header of a picture, a scalar string. It never fails, whatever the string holds."""
    known = tf.stack([starts(encoded, sign, place) for sign, place, _ in FORMATS])
    which = tf.where(tf.reduce_any(known), tf.argmax(tf.cast(known, tf.int32), output_type=tf.int32), len(FORMATS))

    def neither() -> Found:
        return Found(tf.constant(""), tf.constant(""), tf.where(tf.equal(encoded, ""), EMPTY, OTHER))

    def reading(header: Callable[[tf.Tensor], Found]) -> Callable[[], Found]:
        return lambda: header(encoded)

    found = tf.switch_case(which, [*(reading(header) for *_, header in FORMATS), neither])
    silent = tf.equal(tf.strings.join([found.exif, found.xmp]), "")
    turn = tf.cond(silent, lambda: tf.constant(1), lambda: orientation(found.exif, found.xmp))
    return Header(found.fault, turn, which < COMMON, png.is_deep(encoded) & known[1])


def decode(encoded: tf.Tensor, header: Header) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode a picture as `pipelines.pixels.pictures` decodes a file of the same bytes, or say why not.

    Content that is damaged makes it fail; see `attempts`.

    Args:
        encoded: scalar string.
        header: of `inspect`.

    Returns:
        uint8 `[h, w, 3]`, upright, RGB, black where it is not read; and a scalar string, why, empty where it is.
    """

    def as_in_training() -> tf.Tensor:
        return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")  # PNG too

    def with_all_channels() -> tf.Tensor:  # of which a decoder leaves out none; the fourth is alpha
        return tf.ensure_shape(tf.io.decode_image(encoded, expand_animations=False)[..., :3], (None, None, 3))

    def picture() -> tuple[tf.Tensor, tf.Tensor]:
        stored = tf.cond(header.common, as_in_training, with_all_channels)
        dark = tf.cond(header.deep, lambda: png.would_be_black(encoded), lambda: tf.constant(False))
        return upright(stored, header.turn), tf.where(dark, png.DARK, "")

    read = tf.equal(header.fault, "")
    pixels, fault = tf.cond(read, picture, lambda: (tf.zeros((1, 1, 3), tf.uint8), header.fault))
    pixels.set_shape((None, None, 3))
    return pixels, fault
