"""A picture of any format that is read here, decoded and turned upright in graph."""

from collections.abc import Callable

import tensorflow as tf

from visionmtl.export.decoding import bmp, jpeg, png, webp
from visionmtl.export.decoding.content import Found, starts
from visionmtl.export.decoding.exif import orientation, upright

EMPTY = "The picture is empty: give the bytes of a JPEG, PNG, WebP or BMP file."
OTHER = "The picture is no JPEG, PNG, WebP or BMP: save it as one of them; GIF, TIFF and others are not read here."


def _by_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    """Decode as Pillow does, and as in training: TensorFlow's own choice is off by two levels."""
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")


def _by_any(encoded: tf.Tensor) -> tf.Tensor:
    """Decode with all channels, and leave out alpha: a decoder refuses to leave out what it has."""
    return tf.io.decode_image(encoded, expand_animations=False)[..., :3]


Format = tuple[bytes, int, Callable[[tf.Tensor], Found], Callable[[tf.Tensor], tf.Tensor]]
FORMATS: tuple[Format, ...] = (  # a sign, where it stands, what reads the header, and what the pixels
    (b"\xff\xd8\xff", 0, jpeg.header, _by_jpeg),
    (b"\x89PNG\r\n\x1a\n", 0, png.header, lambda encoded: tf.io.decode_png(encoded, channels=3)),
    (b"WEBP", 8, webp.header, _by_any),
    (b"BM", 0, bmp.header, _by_any),
)


def decode(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode a picture, as `pipelines.pixels.pictures` decodes a file of the same bytes, or say why not.

    Content that is damaged makes it fail; see `attempt`.

    Args:
        encoded: scalar string.

    Returns:
        uint8 `[h, w, 3]`, upright, RGB, one black pixel for what is not read; and a scalar string, the reason, empty
        for what is.
    """
    black = tf.zeros((1, 1, 3), tf.uint8)
    known = tf.stack([starts(encoded, sign, place) for sign, place, _, _ in FORMATS])
    which = tf.where(tf.reduce_any(known), tf.argmax(tf.cast(known, tf.int32), output_type=tf.int32), len(FORMATS))

    def branch(header: Callable[[tf.Tensor], Found], pixels: Callable[[tf.Tensor], tf.Tensor]) -> Callable:
        def read() -> tuple[tf.Tensor, tf.Tensor]:
            found = header(encoded)

            def picture() -> tf.Tensor:
                decoded = tf.ensure_shape(pixels(encoded), (None, None, 3))
                return upright(decoded, orientation(found.exif, found.xmp))

            return tf.cond(tf.equal(found.fault, ""), picture, lambda: black), found.fault

        return read

    def neither() -> tuple[tf.Tensor, tf.Tensor]:
        return black, tf.where(tf.equal(encoded, ""), EMPTY, OTHER)

    picture, fault = tf.switch_case(which, [*(branch(*format[2:]) for format in FORMATS), neither])
    picture.set_shape((None, None, 3))
    return picture, fault
