"""A corpus of broken and odd files, made here, in every source that reads files."""

import io
import json
import os
import re
import struct
import time
import zlib

import numpy as np
import pytest
from cases import few
from PIL import Image

import pipelines
from pipelines.pixels.headers import ORIENTATION

SOURCES = ["coco", "voc", "yolo", "csv", "folder"]
SIZE = (40, 60)
BOX = (10, 5, 30, 25)


def write_voc(folder, names, boxes):
    (folder / "Annotations").mkdir()
    rows = "".join(
        f"<object><name>cat</name><bndbox><xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
        "</bndbox></object>"
        for x0, y0, x1, y1 in boxes
    )
    for name in names:
        path = folder / "Annotations" / f"{os.path.splitext(name)[0]}.xml"
        path.write_text(f"<annotation>{rows}</annotation>")


def write_yolo(folder, names, boxes):
    (folder / "labels").mkdir()
    (folder / "data.yaml").write_text("names: [cat]")
    lines = [f"0 {(x0 + x1) / 120} {(y0 + y1) / 80} {(x1 - x0) / 60} {(y1 - y0) / 40}" for x0, y0, x1, y1 in boxes]
    for name in names:
        (folder / "labels" / f"{os.path.splitext(name)[0]}.txt").write_text("\n".join(lines))


def write_csv(folder, names, boxes):
    rows = [f"{name},{','.join(map(str, box))},cat" for name in names for box in boxes]
    (folder / "labels.csv").write_text("\n".join(["image,xmin,ymin,xmax,ymax,label", *rows]))


def write_coco(folder, names, boxes, outlines=False):
    images = [{"id": key, "file_name": name} for key, name in enumerate(names)]
    annotations = []
    for key in range(len(names)):
        for x0, y0, x1, y1 in boxes:
            outline = {"segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]]} if outlines else {}
            row = {"id": len(annotations), "image_id": key, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0]}
            annotations.append(row | outline)
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    (folder / "annotations.json").write_text(json.dumps(content))


WRITERS = {"coco": write_coco, "voc": write_voc, "yolo": write_yolo, "csv": write_csv}


@pytest.fixture
def corpus(tmp_path):
    """A function that writes pictures, given as name -> bytes, with one cat in each, in the layout of a source."""

    def write(source, files, boxes=(BOX,)):
        folder = tmp_path / "data"
        images = folder / {"voc": "JPEGImages", "folder": "cat"}.get(source, "images")
        images.mkdir(parents=True)
        for name, data in files.items():
            (images / name).write_bytes(data)
        if source != "folder":
            WRITERS[source](folder, files, boxes)
        return folder

    return write


def encoded(form="JPEG", mode="RGB", size=SIZE, **options):
    """A grey picture as the bytes of a file."""
    file = io.BytesIO()
    shade = 90 * 257 if mode == "I;16" else 90
    Image.fromarray(np.full(size, shade, np.uint16 if mode == "I;16" else np.uint8)).convert(mode).save(
        file, form, **options
    )
    return file.getvalue()


def bomb():
    """A PNG of a few bytes that says it has 50,000 x 50,000 pixels."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


BROKEN = {
    "truncated.jpg": (encoded()[:-40], r"truncated.jpg' is truncated or damaged"),
    "empty.jpg": (b"", r"empty.jpg' cannot be read as a picture: it is empty"),
    "text.jpg": (b"This is no picture.", r"text.jpg' cannot be read as a picture"),
    "bomb.png": (bomb(), r"bomb.png' has more than 178,956,970 pixels, the limit"),
}
ODD = {
    "wrong extension.jpg": encoded("PNG"),
    "animated.gif": encoded("GIF", save_all=True, append_images=[Image.new("RGB", (60, 40), (250, 0, 0))] * 3),
    "cmyk.jpg": encoded(mode="CMYK"),
    "sixteen bits.png": encoded("PNG", "I;16"),
    "grey.png": encoded("PNG", "L"),
    "Füße 猫 % #.jpg": encoded(),
}


@pytest.mark.parametrize("source", SOURCES)
def test_broken_pictures_are_told_or_skipped_and_listed_and_the_counts_add_up(corpus, load, source):
    folder = corpus(source, {name: data for name, (data, _) in BROKEN.items()} | {"good.jpg": encoded()})
    began = time.process_time()
    data = load(folder, source=source, on_error="skip")
    assert time.process_time() - began < 5
    assert data.sizes == {"train": 1}
    assert len(data.skipped) == len(BROKEN)
    for _, message in BROKEN.values():
        assert len([text for text in data.skipped if re.search(message, text)]) == 1


@pytest.mark.parametrize(("source", "name"), list(zip([*SOURCES, "voc"], [*BROKEN, *BROKEN], strict=False)))
def test_a_broken_picture_stops_the_loading(corpus, load, source, name):
    data, message = BROKEN[name]
    folder = corpus(source, {name: data, "z.jpg": encoded()})
    with pytest.raises(pipelines.DataError, match=message):
        load(folder, source=source)


@pytest.mark.parametrize("source", SOURCES)
def test_odd_pictures_are_read_as_they_look(corpus, load, source):
    data = load(corpus(source, ODD), source=source)
    assert data.sizes == {"train": len(ODD)}
    for images, _, _ in data.train.as_numpy_iterator():
        assert np.abs(images.astype(int) - 90).max() <= 4


@pytest.mark.parametrize("source", SOURCES)
def test_pictures_are_turned_upright_by_all_orientations(corpus, ask, sample, source):
    undo = {2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}
    scene = np.full((*SIZE, 3), 200, np.uint8)
    scene[5:25, 10:30] = 0
    files = {}
    for orientation in range(1, 9):
        picture, exif, file = Image.fromarray(scene), Image.Exif(), io.BytesIO()
        for step in undo.get(orientation, []):
            picture = picture.transpose(Image.Transpose(step))
        exif[ORIENTATION] = orientation
        picture.save(file, "JPEG", exif=exif, quality=95)
        files[f"{orientation}.jpg"] = file.getvalue()
    corpus(source, files)
    found, _ = ask(source)
    assert found.splits["train"].shapes.tolist() == [list(SIZE)] * 8
    for index in range(8):
        image = found.splits["train"].read(index)["image"].numpy()
        assert np.abs(image.astype(int) - scene).mean() < 3
        if source != "folder":
            np.testing.assert_allclose(sample(found, index=index)[0]["detection"], [(0, *BOX)], atol=1e-4)


@pytest.mark.parametrize("source", few(["coco", "voc", "yolo", "csv"], keep=["yolo"]))
def test_fifty_thousand_objects_in_one_image_are_no_trouble(corpus, ask, sample, source):
    boxes = [(x % 50, x % 30, x % 50 + 3, x % 30 + 4) for x in range(49_999)]
    corpus(source, {"a.jpg": encoded()}, [*boxes, BOX])
    began = time.process_time()
    with pytest.warns(UserWarning, match="1 of 1 images have more objects than max_boxes=5: the largest are kept"):
        found, _ = ask(source)
    labels, _ = sample(found)
    assert time.process_time() - began < 10
    np.testing.assert_allclose(labels["detection"][0], (0, *BOX), atol=1e-4)
    assert len(labels["detection"]) == 5


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
@pytest.mark.slow
def test_fifty_thousand_outlines_are_painted_without_filling_the_memory(tmp_path, ask, sample):
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "images" / "a.png").write_bytes(encoded("PNG", size=(400, 600)))
    write_coco(tmp_path / "data", ["a.png"], [BOX] * 50_000, outlines=True)
    began = time.process_time()
    with pytest.warns(UserWarning, match="max_boxes=5"):
        mask = sample(ask("coco")[0])[0]["segmentation"][..., 0]
    assert time.process_time() - began < 20
    assert (mask == 1).sum() == 20 * 20


def test_a_pipe_among_the_images_does_not_hang(corpus, ask, names):
    folder = corpus("coco", {"a.jpg": encoded(), "b.jpg": encoded()})
    (folder / "images" / "a.jpg").unlink()
    os.mkfifo(folder / "images" / "a.jpg")
    found, skipped = ask("coco", on_error="skip")
    assert names(found) == ["b.jpg"]
    assert "a.jpg' is no file" in skipped[0]


def test_ids_and_files_that_are_given_twice_are_told(corpus, ask, names):
    folder = corpus("coco", {"a.jpg": encoded(), "b.jpg": encoded()})
    content = json.loads((folder / "annotations.json").read_text())
    content["annotations"].append(content["annotations"][0])
    content["images"].append({"id": 9, "file_name": "a.jpg"})
    (folder / "annotations.json").write_text(json.dumps(content))
    with pytest.raises(
        pipelines.DataError, match=r"annotations.json': images: file_name 'a.jpg' of id 9 is given twice"
    ):
        ask("coco")
    found, skipped = ask("coco", on_error="skip")
    assert names(found) == ["a.jpg", "b.jpg"]
    assert len(skipped) == 2
    assert "annotations: id 0: it is given twice" in skipped[1]


def test_masks_of_splits_that_name_other_classes_are_told(coco, picture, ask, tmp_path):
    for split, classes in (("train", ["ground", "thing"]), ("val", ["thing", "ground"])):
        place = coco({"a.jpg": []}, at=f"data/{split}", masks=True)
        (place / "mask_classes.json").write_text(json.dumps({"classes": classes}))
    message = r"val/mask_classes.json': the classes or the ignored value are not those of '.*train/mask_classes.json'"
    for source in ("coco", "folder"):
        with pytest.raises(pipelines.DataError, match=message):
            ask(source, splits=("train", "validation"))


def test_problems_of_a_divided_file_are_listed_once(corpus, ask):
    files = {f"{i}.jpg": encoded() for i in range(30)}
    folder = corpus("coco", files)
    content = json.loads((folder / "annotations.json").read_text())
    content["annotations"][4]["bbox"] = [1, 2, -3, 4]
    (folder / "annotations.json").write_text(json.dumps(content))
    found, skipped = ask("coco", splits=("train", "validation", "test"), on_error="skip")
    assert len(skipped) == 1
    assert sum(len(split.shapes) for split in found.splits.values()) == 30
