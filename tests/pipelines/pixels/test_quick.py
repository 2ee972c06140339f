"""The quick look at a JPEG's header: what Pillow says of it, or nothing."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from pipelines.pixels import headers, quick


def encoded(mode="RGB", size=(60, 40), orientation=None, exif=None, **options):
    file, tags = io.BytesIO(), Image.Exif()
    if orientation is not None:
        tags[quick.ORIENTATION] = orientation
    pixels = Image.fromarray(np.full((size[1], size[0], 3), 90, np.uint8)).convert(mode)
    pixels.save(file, "JPEG", exif=tags if exif is None else exif, **options)
    return file.getvalue()


def motorola(orientation):
    """EXIF with the bytes of its numbers the other way round, as cameras write it."""
    entry = b"\x01\x12\0\x03\0\0\0\x01" + bytes([0, orientation, 0, 0])
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + bytes(4)


ORDINARY = {
    "baseline": encoded(),
    "progressive": encoded(progressive=True),
    "grey": encoded("L"),
    "upright": encoded(orientation=1),
    "turned": encoded(orientation=6),
    "turned, as a camera says it": encoded(exif=motorola(8)),
    "a profile longer than what is read first": encoded(icc_profile=bytes(90_000)),
    "a comment": encoded(comment=b"x" * 5000),
    "cut short in its pixels": encoded(size=(600, 400))[:-40],
    "video behind it": encoded() + bytes(100),
}
XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta tiff:Orientation='6'/>"
OTHER = {
    "four channels": encoded("CMYK"),
    "an orientation in XMP": encoded()[:2] + b"\xff\xe1" + (len(XMP) + 2).to_bytes(2, "big") + XMP + encoded()[2:],
    "an orientation that is none": encoded(orientation=9),
    "EXIF that is none": encoded(exif=b"Exif\0\0what is this"),
    "EXIF cut short": encoded(exif=motorola(6)[:20]),
    "another format": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "a web page": b"<!DOCTYPE html>",
    "nothing": b"",
    "a start alone": b"\xff\xd8\xff\xe0\0",
    "segments without end": b"\xff\xd8" + b"\xff\xe0\xff\xff" * 9,
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_files_are_read_as_pillow_reads_them(tmp_path, name, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(ORDINARY[name])
    assert quick.jpeg(str(path)) is not None
    found = headers.inspect(path)
    monkeypatch.setattr(quick, "jpeg", lambda path: None)
    assert found == headers.inspect(path)


@pytest.mark.parametrize("name", OTHER)
def test_others_are_left_to_pillow(tmp_path, name):
    path = tmp_path / "a.jpg"
    path.write_bytes(OTHER[name])
    assert quick.jpeg(str(path)) is None


def test_whatever_bytes_stand_there_nothing_fails(tmp_path):
    path, random = tmp_path / "a.jpg", np.random.default_rng(0)
    for _ in range(300):
        content = bytearray(ORDINARY["turned"][:400])
        for place in random.integers(2, len(content), 4):
            content[place] = random.integers(256)
        path.write_bytes(content)
        quick.jpeg(str(path))


def test_a_pipe_and_a_missing_file_are_left_to_pillow(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert quick.jpeg(str(tmp_path / "pipe.jpg")) is None
    assert quick.jpeg(str(tmp_path / "missing.jpg")) is None
