"""The header of a PNG in graph: its EXIF and XMP; and whether one would be black."""

import tensorflow as tf

from visionmtl.export.decoding.content import MOST, Found, number, part, starts

PIXELS, END = b"IDAT", b"IEND"
KEY, LEGACY = b"XML:com.adobe.xmp\0", b"Raw profile type exif\0"
PACKED = "A PNG whose orientation may lie in compressed text is not read here: save the picture as JPEG."
DARK = "A grey PNG of 16 bits without a value above 255 of 65,535 would be black: scale its values."


def header(encoded: tf.Tensor) -> Found:
    """Return what lies in the header of a PNG, a scalar string, before its pixels."""
    data = tf.io.decode_raw(encoded, tf.uint8)

    def ahead(place: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        last = starts(encoded, PIXELS, place + 4) | starts(encoded, END, place + 4)
        return (place + 12 <= tf.size(data)) & ~last

    def step(place: tf.Tensor, exif: tf.Tensor, xmp: tf.Tensor, packed: tf.Tensor) -> tuple[tf.Tensor, ...]:
        length, start = tf.maximum(number(data, place, 4), 0), place + 8

        def content(kind: bytes, sign: bytes = b"") -> tf.Tensor:
            meant = starts(encoded, kind, place + 4) & starts(encoded, sign, start)
            return part(encoded, start, tf.where(meant, length, 0))

        own, plain, text = content(b"eXIf"), content(b"tEXt", KEY), content(b"iTXt", KEY)
        squeezed = tf.not_equal(text, "") & tf.not_equal(number(data, start + len(KEY), 1), 0)
        found = tf.where(squeezed, "", tf.strings.join([plain, text]))
        others = [content(b"zTXt", KEY), content(b"zTXt", LEGACY), content(b"tEXt", LEGACY)]
        packed |= squeezed | tf.not_equal(tf.strings.join(others), "")
        exif, xmp = tf.where(tf.equal(own, ""), exif, own), tf.where(tf.equal(found, ""), xmp, found)
        return tf.minimum(start + length, tf.size(data)) + 4, exif, xmp, packed

    none = (tf.constant(8), tf.constant(""), tf.constant(""), tf.constant(False))
    _, exif, xmp, packed = tf.while_loop(ahead, step, none, parallel_iterations=1, maximum_iterations=MOST)
    return Found(exif, xmp, tf.where(packed & tf.equal(exif, ""), PACKED, ""))


def is_deep(encoded: tf.Tensor) -> tf.Tensor:
    """Whether a PNG is grey, of 16 bits."""
    return starts(encoded, b"\x10\0", 24)


def would_be_black(encoded: tf.Tensor) -> tf.Tensor:
    """Whether a PNG that `is_deep` holds nothing but what is lost with the lower eight bits."""
    brightest = tf.reduce_max(tf.io.decode_png(encoded, channels=1, dtype=tf.uint16))
    return (brightest > 0) & (brightest < 256)
