"""The header of a JPEG in graph: its EXIF and XMP, and whether it is one that TensorFlow would show black."""

import tensorflow as tf

from visionmtl.export.decoding.content import MOST, Found, number, part, starts

EXIF, XMP, ADOBE = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Adobe"
APP1, APP14, SCAN = 0xE1, 0xEE, 0xDA
TABLES = (0xC4, 0xC8, 0xCC)  # among the markers of frames, those that are none
CMYK = "A CMYK JPEG without Adobe's marker is not read here: save the picture in RGB."


def header(encoded: tf.Tensor) -> Found:
    """Return what lies in the header of a JPEG, a scalar string, before its first scan."""
    data = tf.io.decode_raw(encoded, tf.uint8)

    def ahead(place: tf.Tensor, done: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return ~done & (place + 4 <= tf.size(data))

    def step(
        place: tf.Tensor, done: tf.Tensor, exif: tf.Tensor, xmp: tf.Tensor, channels: tf.Tensor, adobe: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        sign, marker = number(data, place, 1), number(data, place + 1, 1)
        length, start = tf.maximum(number(data, place + 2, 2), 2), place + 4
        filled = tf.equal(marker, 0xFF) | tf.not_equal(sign, 0xFF)
        bare = ~filled & (tf.reduce_any(tf.equal(marker, (0x00, 0x01))) | (marker >= 0xD0) & (marker <= 0xD9))
        bare |= ~filled & (marker >= 0xF0) & (marker <= 0xFD)
        whole = ~filled & ~bare

        def content(kind: int, sign: bytes) -> tf.Tensor:
            meant = whole & tf.equal(marker, kind) & starts(encoded, sign, start)
            return part(encoded, start, tf.where(meant, length - 2, 0))

        more, found, mark = content(APP1, EXIF), content(APP1, XMP), content(APP14, ADOBE)
        bare_more = part(more, len(EXIF), tf.strings.length(more))
        exif = tf.strings.join([exif, tf.where(tf.equal(exif, ""), more, bare_more)])
        xmp = tf.where(tf.equal(found, ""), xmp, found)
        adobe |= tf.not_equal(mark, "")
        frame = whole & (marker >= 0xC0) & (marker <= 0xCF) & ~tf.reduce_any(tf.equal(marker, TABLES))
        channels = tf.where(frame, number(data, start + 5, 1), channels)
        following = tf.where(filled, _next_sign(data, place), tf.where(bare, place + 2, place + 2 + length))
        return following, whole & tf.equal(marker, SCAN), exif, xmp, channels, adobe

    none = (tf.constant(2), tf.constant(False), tf.constant(""), tf.constant(""), tf.constant(0), tf.constant(False))
    _, _, exif, xmp, channels, adobe = tf.while_loop(ahead, step, none, parallel_iterations=1, maximum_iterations=MOST)
    return Found(exif, xmp, tf.where(tf.equal(channels, 4) & ~adobe, CMYK, ""))


def _next_sign(data: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """Return where the next marker begins, past what fills the room before it, a few bytes at a time."""
    window = data[place + 1 : place + 65]
    sign = tf.equal(window[:-1], 0xFF) & tf.not_equal(window[1:], 0xFF)
    ahead = tf.concat([tf.where(sign)[:, 0], [tf.size(window[:-1], tf.int64)]], axis=0)[0]
    return place + 1 + tf.cast(ahead, tf.int32)
