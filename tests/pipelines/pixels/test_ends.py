"""Truncated files are found by their end, and bytes that cameras append are no fault."""

import io
import random

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pipelines.errors import DataError
from pipelines.pixels import pictures

RANDOM = random.Random(0)  # each worker of a parallel run must make the same tests
SHADES = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)


def encoded(form, **options):
    file = io.BytesIO()
    Image.fromarray(SHADES).save(file, form, **options)
    return file.getvalue()


def with_thumbnail():
    """A JPEG with a smaller one in its header, as of a camera."""
    thumbnail = io.BytesIO()
    Image.fromarray(SHADES[:60, :60]).save(thumbnail, "JPEG")
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail.getvalue()
    return encoded("JPEG", exif=exif)


FILES = {
    "a.jpg": encoded("JPEG"),
    "progressive.jpg": encoded("JPEG", progressive=True),
    "thumbnail.jpg": with_thumbnail(),
    "a.png": encoded("PNG"),
    "a.webp": encoded("WEBP"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [0.2, 0.5, 0.9, 0.999])
def test_truncated_files_are_found_by_their_end_and_by_decoding(tmp_path, name, left):
    data = FILES[name]
    (tmp_path / name).write_bytes(data[: int(len(data) * left)])
    with pytest.raises(DataError, match="its end marker is missing|cannot be read as a picture"):
        pictures.inspect(tmp_path / name, marker=True)
    assert pictures.fault(tmp_path / name, slow=name.endswith("webp"))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "trailer", [b"", bytes(100), bytes(9000), b"SEFT" + RANDOM.randbytes(20_000), RANDOM.randbytes(1)]
)
def test_bytes_behind_the_end_are_no_fault(tmp_path, name, trailer):
    (tmp_path / name).write_bytes(FILES[name] + trailer)
    header = pictures.inspect(tmp_path / name, marker=True)
    picture = pictures.decode(tf.constant(str(tmp_path / name)), tf.constant(not header.fast), tf.constant(False))
    assert picture.shape == SHADES.shape
    assert pictures.fault(tmp_path / name, slow=not header.fast) is None


def test_the_end_of_a_thumbnail_is_not_that_of_the_picture(tmp_path):
    data = with_thumbnail()
    end = data.index(b"\xff\xd9") + 2
    (tmp_path / "a.jpg").write_bytes(data[: end + 40])
    with pytest.raises(DataError, match="end marker is missing"):
        pictures.inspect(tmp_path / "a.jpg", marker=True)


def test_the_first_of_several_pictures_in_a_file_counts(tmp_path):
    other = Image.fromarray(255 - SHADES)
    Image.fromarray(SHADES).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[other])
    header = pictures.inspect(tmp_path / "a.jpg", marker=True)
    assert (header.format, header.fast) == ("MPO", True)
    picture = pictures.decode(tf.constant(str(tmp_path / "a.jpg")), tf.constant(False), tf.constant(False))
    assert np.corrcoef(picture.numpy().ravel(), SHADES.ravel())[0, 1] > 0.5
