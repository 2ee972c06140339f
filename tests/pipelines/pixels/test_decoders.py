"""TensorFlow's decoder and Pillow's give the same pixels, bit for bit, of all that TensorFlow is left to read."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pipelines.pixels import pictures


@pytest.fixture
def photograph():
    """Smooth shades with some noise, as of a camera: RGB of 60 x 90 pixels."""
    y, x = np.mgrid[0:60, 0:90]
    noise = np.random.default_rng(0).normal(0, 12, (60, 90, 3))
    return Image.fromarray(np.clip(np.stack([x * 2, y * 4, 200 - x], -1) + noise, 0, 255).astype(np.uint8))


def decoded(path):
    header = pictures.inspect(path)
    fast = pictures.decode(tf.constant(str(path)), tf.constant(not header.fast), tf.constant(False))
    with Image.open(path) as picture:
        return header, fast.numpy(), np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize(
    "options",
    [{"quality": 75}, {"quality": 95, "subsampling": 0}, {"quality": 30, "progressive": True}, {"keep_rgb": True}],
    ids=["usual", "fine", "progressive", "stored as RGB"],
)
def test_jpegs(tmp_path, photograph, mode, options):
    photograph.convert(mode).save(tmp_path / "a.jpg", **options)
    header, own, pillow = decoded(tmp_path / "a.jpg")
    assert header.fast
    np.testing.assert_array_equal(own, pillow)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_pngs(tmp_path, photograph, mode):
    photograph.convert(mode).save(tmp_path / "a.png")
    header, own, pillow = decoded(tmp_path / "a.png")
    assert header.fast
    np.testing.assert_array_equal(own, pillow)


@pytest.mark.parametrize(
    ("mode", "transparency"), [("L", 90), ("RGB", (90, 90, 90)), ("P", 3), ("P", bytes(range(200)))]
)
def test_transparent_colours_are_seen_as_they_are(tmp_path, photograph, mode, transparency):
    photograph.convert(mode).save(tmp_path / "a.png", transparency=transparency)
    header, own, pillow = decoded(tmp_path / "a.png")
    assert header.traits == {"alpha"}
    np.testing.assert_array_equal(own, pillow)


@pytest.mark.parametrize("transform", [None, 2], ids=["without Adobe's marker", "YCCK"])
def test_jpegs_of_four_inks_of_other_makers(tmp_path, photograph, transform):
    file = io.BytesIO()
    photograph.convert("CMYK").save(file, "JPEG", quality=95)
    data, start = file.getvalue(), file.getvalue().index(b"\xff\xee")
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    marker = b"" if transform is None else data[start : end - 1] + bytes([transform])
    (tmp_path / "a.jpg").write_bytes(data[:start] + marker + data[end:])
    _, own, pillow = decoded(tmp_path / "a.jpg")
    assert own.mean() > 20  # TensorFlow alone makes the one without a marker black
    np.testing.assert_allclose(own.astype(int), pillow, atol=40 if transform else 0)
    assert np.abs(own.astype(int) - pillow).mean() < 2


def test_a_jpeg_read_smaller_is_the_same_picture(photograph):
    file = io.BytesIO()
    photograph.resize((720, 480)).save(file, "JPEG")
    assert pictures.from_bytes(tf.constant(file.getvalue()), ratio=8).shape == (60, 90, 3)
