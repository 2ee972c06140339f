"""Mask files keep their class ids whatever their format and depth, or are refused in a sentence."""

import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from test_levels import tiff

from pipelines.errors import DataError
from pipelines.pixels import masks, pictures

IDS = np.array([[0, 1, 2, 3], [3, 0, 1, 0]], np.uint8)


def decoded(path):
    header = pictures.inspect(path)
    masks.check(path, header)
    return pictures.decode_mask(tf.constant(str(path)), tf.constant(not header.plain_grey)).numpy()[..., 0]


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.gif", "a.pgm"])
def test_grey_levels_are_class_ids(tmp_path, name):
    Image.fromarray(IDS).save(tmp_path / name)
    np.testing.assert_array_equal(decoded(tmp_path / name), IDS)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.gif"])
def test_places_in_a_palette_are_class_ids(tmp_path, name):
    picture = Image.frombytes("P", (4, 2), IDS.tobytes())
    picture.putpalette([0, 0, 0, 250, 0, 0, 0, 250, 0, 0, 0, 250])
    picture.save(tmp_path / name, **({"bits": 8} if name == "a.png" else {}))
    np.testing.assert_array_equal(decoded(tmp_path / name), IDS)


@pytest.mark.parametrize("kind", [np.uint16, np.int16, np.int32, np.float32])
def test_numbers_of_more_bits_are_class_ids_too(tmp_path, kind):
    np.testing.assert_array_equal(decoded(tiff(tmp_path / "a.tif", IDS.astype(kind))), IDS)


def test_four_bits_of_a_tiff_are_not_spread(tmp_path):
    packed = np.array([[0x01, 0x2F], [0x30, 0x10]], np.uint8)
    path = tiff(tmp_path / "a.tif", packed, bits=4)
    data = bytearray(path.read_bytes())
    place = data.index(b"\x00\x01\x04\x00\x01\x00\x00\x00\x02")  # the width in the header: 2 bytes are 4 pixels
    data[place + 8] = 4
    path.write_bytes(data)
    assert decoded(path).tolist() == [[0, 1, 2, 15], [3, 0, 1, 0]]


@pytest.mark.parametrize("highest", [3, 20, 255, 300])
def test_a_portable_map_of_few_levels_is_not_spread(tmp_path, highest):
    body = IDS.tobytes() if highest < 256 else IDS.astype(">u2").tobytes()
    (tmp_path / "a.pgm").write_bytes(b"P5 4 2 %d\n" % highest + body)
    np.testing.assert_array_equal(decoded(tmp_path / "a.pgm"), IDS)


def test_values_beyond_255_are_told_and_not_wrapped(tmp_path):
    Image.fromarray(np.array([[0, 1, 300]], np.uint16)).save(tmp_path / "a.png")
    path = tf.constant(str(tmp_path / "a.png"))
    assert pictures.mask_values(tmp_path / "a.png").tolist() == [[0, 1, 300]]
    with pytest.raises(Exception, match=r"Mask '.*a.png' has the value 300: expected 0 to 255"):
        pictures.decode_mask(path, tf.constant(True))
    assert pictures.decode_mask(path, tf.constant(True), strict=False)[0, :, 0].numpy().tolist() == [0, 1, 255]


@pytest.mark.parametrize(
    ("name", "mode", "message"),
    [
        ("a.jpg", "L", "is a JPEG file, a format that changes values: save it as a PNG of one channel"),
        ("a.webp", "L", "is a WEBP file, a format that changes values"),
    ],
)
def test_what_cannot_hold_class_ids_is_refused(tmp_path, name, mode, message):
    Image.fromarray(IDS).convert(mode).save(tmp_path / name)
    with pytest.raises(DataError, match=message):
        decoded(tmp_path / name)


def test_fractions_are_no_class_ids(tmp_path):
    path = tiff(tmp_path / "a.tif", (IDS / 2).astype(np.float32))
    assert re.search("values that are no whole numbers", pictures.fault(path, slow=True, mask=True))


def test_a_mask_that_turns_values_round_is_refused(tmp_path):
    path = tiff(tmp_path / "a.tif", 255 - IDS, photometric=0)
    assert "whose white is 0" in pictures.fault(path, slow=True, mask=True)
