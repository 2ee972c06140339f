"""Pictures of every type of number: scaled as their type says, or refused; never black or white without a word."""

import re
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pipelines.errors import DataError
from pipelines.pixels import pictures

GREY = np.arange(0, 240, 4, dtype=np.uint8).reshape(6, 10)
LEVELS = (100.0, 4000.0)


def decode(path, scale=None):
    header = pictures.inspect(path)
    slow = tf.constant(not header.fast)
    return pictures.decode(tf.constant(str(path)), slow, tf.constant(False), scale=scale).numpy()


def refusal(path, scale=None):
    """Why a picture is refused, by its header or as it is decoded."""
    try:
        return pictures.fault(path, slow=not pictures.inspect(path).fast, scale=scale)
    except DataError as error:
        return str(error)


def tiff(path, values, order="<", photometric=None, planar=1, bits=None):
    """Write a plain TIFF of any type of number, as scientific cameras and GIS do."""
    channels = 1 if values.ndim == 2 else values.shape[2]
    kind, wide = {"u": 1, "i": 2, "f": 3}[values.dtype.kind], bits or values.dtype.itemsize * 8
    data = (values if planar == 1 else np.moveaxis(values, -1, 0)).astype(values.dtype.newbyteorder(order)).tobytes()
    tags = {256: (4, [values.shape[1]]), 257: (4, [values.shape[0]]), 258: (3, [wide] * channels), 259: (3, [1])}
    tags |= {
        262: (3, [2 if channels > 2 else 1]),
        277: (3, [channels]),
        284: (3, [planar]),
        339: (3, [kind] * channels),
    }
    tags |= {} if photometric is None else {262: (3, [photometric])}
    count = channels if planar == 2 else 1
    start = 8 + 2 + 12 * (len(tags) + 2) + 4 + 64
    tags |= {273: (4, [start + k * len(data) // count for k in range(count)]), 279: (4, [len(data) // count] * count)}
    entries, more = b"", b""
    for tag, (kind, numbers) in sorted(tags.items()):
        raw = b"".join(struct.pack(order + {3: "H", 4: "I"}[kind], number) for number in numbers)
        if len(raw) > 4:
            raw, more = struct.pack(f"{order}I", start - 64 + len(more)), more + raw
        entries += struct.pack(f"{order}HHI", tag, kind, len(numbers)) + raw.ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    body = struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", 0)
    path.write_bytes(head + body + more.ljust(64, b"\0") + data)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "values",
    [
        GREY,
        GREY.astype(np.uint16) * 257,
        np.repeat(GREY[..., None].astype(np.uint16) * 257, 3, axis=2),
        (GREY / 255).astype(np.float32),
        GREY.astype(np.float32),
        GREY.astype(np.int32),
        GREY.astype(np.int16),
    ],
    ids=["uint8", "uint16", "uint16 of three channels", "float of 0 to 1", "float of 0 to 255", "int32", "int16"],
)
def test_the_numbers_of_a_tiff_are_scaled_as_their_type_says(tmp_path, values, order):
    np.testing.assert_array_equal(decode(tiff(tmp_path / "a.tif", values, order)), GREY[..., None].repeat(3, axis=2))


def test_white_may_be_zero(tmp_path):
    expected = GREY[..., None].repeat(3, axis=2)
    path = tiff(tmp_path / "a.tif", 65535 - GREY.astype(np.uint16) * 257, photometric=0)
    np.testing.assert_array_equal(decode(path), expected)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jp2", "a.pgm"])
def test_sixteen_bits_are_those_of_every_format(tmp_path, name):
    if name == "a.pgm":  # older versions of Pillow do not write it
        (tmp_path / name).write_bytes(b"P5 10 6 65535\n" + (GREY.astype(">u2") * 257).tobytes())
    else:
        Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / name)
    np.testing.assert_array_equal(decode(tmp_path / name)[..., 0], GREY)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            GREY.astype(np.float32) * 257,
            r"float32 values from 0 to 60652, .* expected 0 to 1 or 0 to 255; the option levels",
        ),
        (GREY.astype(np.float32) - 1, r"float32 values from -1 to 235"),
        (np.where(GREY > 9, np.nan, GREY).astype(np.float32), "not finite"),
        (GREY.astype(np.int32) * 257, r"int32 values from 0 to 60652, .* expected 0 to 255; the option levels"),
        (GREY.astype(np.int16) - 1000, "values from -1000 to -764"),
        (GREY.astype(np.int8) - 1, "int8 values from -"),
        (GREY.astype(np.uint16), "has no value above 236 of 65,535, and would be black: the option levels"),
        (GREY.astype(np.float64), "a TIFF of 1 channel of float64, which is not read"),
        (np.zeros((6, 10, 3), np.float32), "a TIFF of 3 channels of float32, which is not read"),
        (np.zeros((6, 10, 5), np.uint8), "a TIFF of 5 channels of uint8, which is not read"),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, np.ndarray) else "",
)
def test_numbers_of_which_nothing_says_what_is_white_are_refused(tmp_path, values, message):
    assert re.search(message, refusal(tiff(tmp_path / "a.tif", values)))


def test_channels_of_sixteen_bits_that_lie_apart_are_refused(tmp_path):
    path = tiff(tmp_path / "a.tif", np.zeros((6, 10, 3), np.uint16), planar=2)
    assert "whose channels lie apart" in refusal(path)


@pytest.mark.parametrize("kind", [np.uint16, np.int16, np.int32, np.float32])
def test_levels_say_what_is_black_and_white(tmp_path, kind):
    values = np.array([[0, 100, 2050, 4000, 5000]], kind)
    assert decode(tiff(tmp_path / "a.tif", values), LEVELS)[0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_levels_reach_pictures_of_one_wide_channel_alone(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    Image.fromarray(GREY.astype(np.uint16) * 10).save(tmp_path / "b.png")
    np.testing.assert_array_equal(decode(tmp_path / "a.png", LEVELS)[..., 0], GREY)
    np.testing.assert_allclose(decode(tmp_path / "b.png", (0, 2550))[..., 0], GREY)


def test_a_black_picture_is_black(tmp_path):
    Image.fromarray(np.zeros((6, 10), np.uint16)).save(tmp_path / "a.png")
    assert not decode(tmp_path / "a.png").any()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "LAB"])
def test_every_mode_of_eight_bits_is_read_as_pillow_converts_it(tmp_path, mode):
    picture = Image.fromarray(GREY[..., None].repeat(3, axis=2))
    picture = picture.convert("RGB") if mode == "RGB" else picture.convert(mode)
    picture.save(tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as stored:
        np.testing.assert_array_equal(decode(tmp_path / "a.tif"), np.asarray(stored.convert("RGB")))
