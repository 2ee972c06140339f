"""The header of a JPEG in graph: its EXIF and XMP, and whether it is one that TensorFlow would show black."""

import tensorflow as tf

from visionmtl.export.decoding.content import MOST, Found, number

EXIF, XMP, ADOBE = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Adobe"
APP1, APP14, SCAN, FILLING = 0xE1, 0xEE, 0xDA, 0xFF
FRAMES = [marker in {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} for marker in range(256)]
BARE = {0x00, 0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)}  # markers without content
WHOLE = [marker not in BARE | {FILLING} for marker in range(256)]
SKIPPED = [1 if marker == FILLING else 2 for marker in range(256)]  # bytes of a marker
LONGEST = 1 << 16  # bytes of a segment
SMALL = 1 << 16  # bytes of a file
TELLING = r"\C*?(?:Exif\x00\x00|http://ns\.adobe\.com/xap/1\.0/|\x00\x14\x08)\C*"  # or a frame of four channels
CMYK = "A CMYK JPEG without Adobe's marker is not read here: save the picture in RGB."


def header(encoded: tf.Tensor) -> Found:
    """Return what lies in the header of a JPEG, a scalar string, before its first scan.

    To walk through its segments takes longer than to see that a small file has nothing of interest anywhere.
    """
    small = tf.strings.length(encoded) <= SMALL
    looked = tf.cond(small, lambda: tf.strings.regex_full_match(encoded, TELLING), lambda: tf.constant(True))
    return tf.cond(looked, lambda: _walked(encoded), lambda: Found(*map(tf.constant, ("", "", ""))))


def _walked(encoded: tf.Tensor) -> Found:
    data = tf.io.decode_raw(encoded, tf.uint8)
    markers, starts, lengths = tf.unstack(_segments(data), axis=1)

    def contents(marker: int, sign: bytes) -> tf.Tensor:
        there = tf.equal(markers, marker)
        found = tf.strings.substr(encoded, tf.boolean_mask(starts, there), tf.boolean_mask(lengths, there))
        signed = tf.equal(tf.strings.substr(found, 0, len(sign)), sign)
        found = tf.boolean_mask(found, signed)
        return tf.strings.substr(found, len(sign), LONGEST)

    frames = tf.boolean_mask(starts, tf.gather(tf.constant(FRAMES), markers))
    channels = number(data, tf.reduce_max(tf.concat([frames, [0]], axis=0)) + 5, 1)
    fault = tf.equal(channels, 4) & (tf.size(frames) > 0) & tf.equal(tf.size(contents(APP14, ADOBE)), 0)
    exif, xmp = tf.strings.reduce_join(contents(APP1, EXIF)), tf.strings.reduce_join(contents(APP1, XMP)[-1:])
    return Found(exif, xmp, tf.where(fault, CMYK, ""))


def _segments(data: tf.Tensor) -> tf.Tensor:
    """Return marker, start of its content and length of that, for each segment up to the first scan: int32 `[N, 3]`."""
    size, whole, skipped = tf.size(data), tf.constant(WHOLE), tf.constant(SKIPPED)
    found = tf.TensorArray(tf.int32, 0, dynamic_size=True, element_shape=(3,))

    def ahead(place: tf.Tensor, marker: tf.Tensor, *_: object) -> tf.Tensor:
        return tf.not_equal(marker, SCAN) & (place + 4 <= size)

    def step(place: tf.Tensor, _: tf.Tensor, found: tf.TensorArray) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
        sign, marker, high, low = tf.unstack(tf.cast(tf.ensure_shape(data[place : place + 4], (4,)), tf.int32))
        signed = tf.equal(sign, 0xFF)
        filled = signed & tf.gather(whole, marker)
        length = tf.where(filled, tf.maximum(256 * high + low, 2), 0)
        following = place + tf.where(signed, tf.gather(skipped, marker), 1) + length
        marker = tf.where(filled, marker, 0)
        return following, marker, found.write(found.size(), tf.stack([marker, place + 4, tf.maximum(length - 2, 0)]))

    start = (tf.constant(2), tf.constant(0), found)
    *_, found = tf.while_loop(ahead, step, start, parallel_iterations=1, maximum_iterations=MOST)
    return found.stack()
