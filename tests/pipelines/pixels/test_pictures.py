"""Pictures of every kind that people have, decoded as they look."""

import json
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from PIL import Image

from pipelines.pixels import headers, pictures

SIZE = (40, 60)


@pytest.fixture
def scene():
    """Smooth colours, and one corner (top left) marked in black: RGB `[40, 60, 3]`."""
    y, x = np.mgrid[0:40, 0:60]
    picture = np.stack([4 * x, 6 * y, 200 - 2 * x], axis=-1).astype(np.uint8)
    picture[:8, :8] = 0
    return picture


def decode(path):
    header = pictures.inspect(path)
    turn = header.orientation > 1
    arguments = (str(path), turn or not header.fast, turn)
    return pictures.decode(*(tf.constant(a) for a in arguments)).numpy().astype(int)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.gif", "a.webp", "a.tif"])
def test_formats_decode_to_the_same_colours(tmp_path, scene, name):
    Image.fromarray(scene).save(tmp_path / name)
    assert np.abs(decode(tmp_path / name) - scene).mean() < (12 if name == "a.gif" else 5)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_grey_and_cmyk_become_rgb(tmp_path, scene, mode, name):
    picture = Image.fromarray(scene).convert(mode)
    picture.save(tmp_path / name)
    assert np.abs(decode(tmp_path / name) - np.asarray(picture.convert("RGB"))).mean() < 5


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1"])
def test_alpha_is_dropped_and_palettes_are_looked_up(tmp_path, scene, mode):
    picture = Image.fromarray(scene).convert(mode)
    if mode.endswith("A"):
        picture.putalpha(128)
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(decode(tmp_path / "a.png"), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path, scene, name):
    Image.fromarray(scene[..., 0].astype(np.uint16) * 257).save(tmp_path / name)
    np.testing.assert_array_equal(decode(tmp_path / name), scene[..., :1].repeat(3, axis=-1))


def test_the_content_counts_and_not_the_extension(tmp_path, scene):
    Image.fromarray(scene).save(tmp_path / "a.jpg", format="PNG")
    np.testing.assert_array_equal(decode(tmp_path / "a.jpg"), scene)


def save_turned(scene, orientation, path):
    """Save a scene so that it looks as it is once the EXIF orientation is applied."""
    undo = {2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}  # the transpositions that undo each orientation
    picture = Image.fromarray(scene)
    for step in undo.get(orientation, []):
        picture = picture.transpose(Image.Transpose(step))
    exif = Image.Exif()
    exif[headers.ORIENTATION] = orientation
    picture.save(path, exif=exif, quality=98)
    return picture


@pytest.mark.parametrize("orientation", few(range(1, 9), keep=[3, 6]))
def test_exif_orientation_is_applied_where_the_annotations_mean_the_upright_image(coco, load, scene, orientation):
    folder = coco({"a.jpg": [(3, 0, 0, 8, 8)]})
    save_turned(scene, orientation, folder / "images" / "a.jpg")
    ((images, labels, _),) = load(folder).train.as_numpy_iterator()
    assert np.abs(images[0].astype(int) - scene).mean() < 6
    x_min, y_min, x_max, y_max = labels["detection"]["boxes"][0, 0].astype(int)
    assert images[0, y_min : y_max - 1, x_min : x_max - 1].mean() < 25


def test_exif_orientation_is_left_where_the_annotations_mean_the_image_as_stored(coco, load, scene):
    folder = coco({"a.jpg": []}, images=[{"id": 1, "file_name": "a.jpg", "width": 40, "height": 60}])
    stored = save_turned(scene, 6, folder / "images" / "a.jpg")
    ((images, _, _),) = load(folder, image_size=(60, 40)).train.as_numpy_iterator()
    assert np.abs(images[0].astype(int) - np.asarray(stored)).mean() < 6


@pytest.mark.parametrize("mode", ["P", "L", "1", "I;16", "bits"])
def test_masks_keep_their_values_whatever_the_png_is(coco, load, mode):
    folder = coco({"a.png": []}, masks=True)
    (folder / "mask_classes.json").write_text(json.dumps({"classes": ["ground", "thing"]}))
    values = np.zeros(SIZE, np.uint8)
    values[10:20, 10:30] = 1
    path = folder / "masks" / "a.png"
    if mode in ("P", "bits"):
        picture = Image.fromarray(values).convert("P") if mode == "P" else Image.fromarray(values, mode="P")
        picture.putdata(values.ravel().tolist())
        picture.putpalette([200, 10, 10, 10, 200, 10])
        picture.save(path, bits=8 if mode == "P" else 1)
    elif mode == "1":
        Image.fromarray(values.astype(bool)).save(path)
    else:
        Image.fromarray(values.astype(np.uint16 if mode == "I;16" else np.uint8)).save(path)
    ((_, labels, _),) = load(folder).train.as_numpy_iterator()
    np.testing.assert_array_equal(labels["segmentation"][0], values)


def test_headers_are_read_without_decoding(tmp_path, scene):
    Image.fromarray(scene).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[:60])
    header = pictures.inspect(tmp_path / "a.png")
    assert (header.height, header.width, header.bands, header.fast) == (40, 60, 3, True)
    assert pictures.fault(tmp_path / "a.png", slow=False)


def test_a_mask_of_four_bits_keeps_its_values(tmp_path):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"\0\x01\x2f" + b"\0\x00\x30"  # filter 0, then two pixels a byte: 0 1 2 15 and 0 0 3 0
    header = struct.pack(">IIBBBBB", 4, 2, 4, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    assert not pictures.inspect(tmp_path / "a.png").plain_grey
    assert pictures.mask_values(tmp_path / "a.png").tolist() == [[0, 1, 2, 15], [0, 0, 3, 0]]
