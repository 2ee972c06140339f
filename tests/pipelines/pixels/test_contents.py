"""Files that are no picture, or of a kind not read here: each is told by what it holds."""

import io
import os
import sys
import types
import warnings

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from pipelines.errors import DataError
from pipelines.pixels import opening, pictures


def encoded(form="JPEG", **options):
    file = io.BytesIO()
    Image.fromarray(np.arange(2400, dtype=np.uint8).reshape(40, 60)).save(file, form, **options)
    return file.getvalue()


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (bytes(5000), "nothing but zeros"),
        (b"\n<!DOCTYPE html><html><body>Too many requests</body></html>", "a web page, as a failed download leaves"),
        (b"<HTML><head>", "a web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "it is XML"),
        (b'{"message": "Not found"}', "it is JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        (b"PK\x03\x04" + bytes(50), "a ZIP archive"),
        (HEIC, r"it is HEIC, and the extra heif reads it: pip install 'visionmtl\[heif\]'"),
        (b"\0\0\0\x20ftypisom" + bytes(50), "it is a video"),
        (bytes(128) + b"DICM" + bytes(50), "it is DICOM"),
        (b"\x93NUMPY\x01\0" + bytes(50), "a numpy array"),
        (b"This is no picture.", "its content is that of no known format"),
        (encoded()[:8], "Truncated File Read"),
        (b"\xff\xd8\xff\xe0\x00\x02nonsense", "begins as a JPEG whose header is damaged"),
        (
            encoded().replace(b"\xff\xc0\x00\x0b\x08", b"\xff\xc1\x00\x0b\x0c"),
            "it is a JPEG of 12 bits, which is not read",
        ),
        (b"\x89PNG\r\n\x1a\n" + bytes(9), "cannot be read as a picture"),
    ],
)
def test_what_is_no_picture_is_told_by_its_content(tmp_path, content, message):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match=rf"a.jpg' cannot be read as a picture: .*{message}|a.jpg' {message}"):
        pictures.inspect(tmp_path / "a.jpg")


def test_a_jpeg_that_no_decoder_reads_is_told_apart_from_a_damaged_one(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded().replace(b"\xff\xc0", b"\xff\xc3", 1))
    header = pictures.inspect(tmp_path / "a.jpg")
    assert "it is a JPEG (lossless), which is not read" in pictures.fault(tmp_path / "a.jpg", not header.fast)


def test_names_that_are_no_utf8_and_names_that_are_odd(tmp_path):
    wrong = os.fsdecode(os.fsencode(tmp_path) + b"/F\xfc\xdfe.jpg")
    with open(wrong, "wb") as file:
        file.write(encoded())
    with pytest.raises(DataError, match=r"F\\xfc\\xdfe.jpg' has a name that is no UTF-8: rename it") as raised:
        pictures.inspect(tmp_path / os.path.basename(wrong))
    str(raised.value).encode()  # can be printed
    for name in ("a b # % 'quoted'.jpg", "Füße 猫 \U0001f408.jpg", "x" * 200 + ".jpg"):
        (tmp_path / name).write_bytes(encoded())
        header = pictures.inspect(tmp_path / name)
        path = tf.constant(str(tmp_path / name))
        assert pictures.decode(path, tf.constant(not header.fast), tf.constant(False)).shape == (40, 60, 3)
    with pytest.raises(DataError, match="File name too long"):
        pictures.inspect(tmp_path / ("x" * 300 + ".jpg"))


def test_folders_and_links_that_lead_nowhere_are_told(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    (tmp_path / "b.jpg").symlink_to("elsewhere.jpg")
    (tmp_path / "c.jpg").symlink_to("c.jpg")
    with pytest.raises(DataError, match="a.jpg' is no file"):
        pictures.inspect(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="b.jpg' is a link to 'elsewhere.jpg', which is missing"):
        pictures.inspect(tmp_path / "b.jpg")
    with pytest.raises(DataError, match="symbolic links"):
        pictures.inspect(tmp_path / "c.jpg")


def test_damaged_exif_does_not_cost_the_picture(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded(exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"))
    text = PngInfo()
    text.add_text("Raw profile type exif", "\nexif\n4\nnonsense")
    (tmp_path / "b.jpg").write_bytes(encoded("PNG", pnginfo=text))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [pictures.inspect(tmp_path / name) for name in ("a.jpg", "b.jpg")]
    assert [header.orientation for header in found] == [1, 1]
    assert "exif" in found[1].traits


def test_the_limit_on_pixels_is_given(tmp_path, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(encoded())
    with pytest.raises(DataError, match=r"has more than 2,399 pixels, the limit: .* the option max_pixels"):
        pictures.inspect(tmp_path / "a.jpg", max_pixels=2399)
    assert pictures.inspect(tmp_path / "a.jpg", max_pixels=2400).fast
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match=r"has more than 2,000 pixels, the limit"):
        pictures.inspect(tmp_path / "a.jpg")
    for limit in (1000, 2000):  # above the first Pillow refuses a picture, above the second it warns
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert pictures.inspect(tmp_path / "a.jpg", max_pixels=3000).width == 60
            slow = pictures.decode(tf.constant(str(tmp_path / "a.jpg")), tf.constant(True), tf.constant(False))
        assert slow.shape == (40, 60, 3)
        assert told == []
        assert limit == Image.MAX_IMAGE_PIXELS


def test_the_limit_on_pixels_holds_while_another_thread_opens_what_exceeds_it(tmp_path, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(encoded())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with opening._beyond_the_limit(), pytest.raises(DataError, match=r"has more than 2,000 pixels, the limit"):
        pictures.inspect(tmp_path / "a.jpg")


def test_heic_is_read_where_its_plug_in_is_installed(tmp_path, monkeypatch):
    """A plug-in of the same name and calls stands for the real one."""
    (tmp_path / "a.heic").write_bytes(HEIC)
    known = []

    def register():
        known.append(True)

    real = Image.open

    def fake(file, *arguments):
        if known and hasattr(file, "read") and file.read(12)[8:] == b"heic":
            return Image.new("RGB", (6, 4), (9, 8, 7))
        file.seek(0)
        return real(file, *arguments)

    plugin = types.ModuleType("pillow_heif")
    plugin.register_heif_opener = register
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    monkeypatch.setattr(Image, "open", fake)
    opening._with_heif.cache_clear()
    try:
        header = pictures.inspect(tmp_path / "a.heic")
        assert (header.height, header.width, header.fast) == (4, 6, False)
        path = tf.constant(str(tmp_path / "a.heic"))
        assert pictures.decode(path, tf.constant(True), tf.constant(False))[0, 0].numpy().tolist() == [9, 8, 7]
        assert known == [True]
    finally:
        opening._with_heif.cache_clear()


def test_without_the_plug_in_nothing_else_changes(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    opening._with_heif.cache_clear()
    (tmp_path / "a.heic").write_bytes(HEIC)
    with open(tmp_path / "a.heic", "rb") as file, pytest.raises(UnidentifiedImageError):
        opening.opened(file)
    opening._with_heif.cache_clear()
