"""What stands in the files of each format: values worked out by hand, and the rules of the tools that read them."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO

import pipelines
from pipelines.sources.files.entries import Annotation
from pipelines.sources.files.outlines import region
from pipelines.writers.base import Content, Picture
from pipelines.writers.polygons import fraction, is_kept, joined
from pipelines.writers.voc import Voc
from pipelines.writers.yolo import Yolo

SIZE = (40, 60)
TRIANGLE = [6.0, 4.0, 30.0, 4.0, 30.0, 20.0]
CROWD = {"size": [40, 60], "counts": [40 * 45, 40 * 10, 40 * 5]}


@pytest.fixture
def converted(coco, tmp_path):
    """A function that writes a set of a triangle, a bar of no whole pixels and a crowd, and returns where."""

    def convert(to, outlines=True):
        shape = {"segmentation": [TRIANGLE]} if outlines else {}
        bar = {"segmentation": [[40.5, 30, 56.5, 30, 56.5, 34.2, 40.5, 34.2]]} if outlines else {}
        crowd = (7, 45, 0, 10, 40, {"iscrowd": 1, "segmentation": CROWD} if outlines else {"iscrowd": 1})
        coco({"a.jpg": [(3, 6, 4, 24, 16, shape), (7, 40.5, 30, 16, 4.2, bar), crowd], "b.jpg": []}, at="data/train")
        coco({"v.jpg": [(3, 6, 4, 24, 16, shape)]}, at="data/val")
        pipelines.convert("coco", to, tmp_path / "out", tmp_path / "data")
        return tmp_path / "out"

    return convert


def test_pycocotools_loads_what_is_written_with_areas_crowds_and_masks(converted, capsys):
    loaded = COCO(str(converted("coco") / "train/annotations.json"))
    assert [image["file_name"] for image in loaded.loadImgs(loaded.getImgIds())] == ["a.jpg", "b.jpg"]
    assert [category["name"] for category in loaded.loadCats(loaded.getCatIds())] == ["square", "bar"]
    triangle, bar, crowd = loaded.loadAnns(loaded.getAnnIds(imgIds=[1]))
    assert (triangle["bbox"], triangle["iscrowd"], triangle["category_id"]) == ([6, 4, 24, 16], 0, 1)
    assert (bar["bbox"][:3], bar["category_id"]) == ([40.5, 30, 16], 2)
    assert bar["bbox"][3] == pytest.approx(4.2)
    assert (crowd["area"], crowd["iscrowd"], crowd["segmentation"]) == (400, 1, CROWD)
    assert triangle["area"] == pytest.approx(192, abs=12)  # half of 24 x 16, in pixels
    assert loaded.annToMask(triangle).sum() == triangle["area"]


def ultralytics_rows(path, classes):
    """Read a label file by the rules that Ultralytics 8.4 checks, and return its rows of numbers."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    if any(len(row) > 6 for row in rows):
        assert not any(len(row) == 5 for row in rows), "it refuses a file that mixes both"
        assert all(len(row) >= 7 and len(row) % 2 == 1 for row in rows)
    else:
        assert all(len(row) == 5 for row in rows)
    numbers = [[float(cell) for cell in row] for row in rows]
    assert all(row[0].is_integer() and row[0] < classes and 0 <= min(row[1:]) <= max(row[1:]) <= 1 for row in numbers)
    return numbers


def test_ultralytics_finds_polygons_in_every_file_or_in_none(converted):
    root = converted("yolo")
    settings = yaml.safe_load((root / "data.yaml").read_text())
    assert settings == {"train": "images/train", "val": "images/val", "names": {0: "square", 1: "bar"}}
    assert {path.name for path in (root / settings["train"]).iterdir()} == {"a.jpg", "b.jpg"}
    triangle, bar = ultralytics_rows(root / "labels/train/a.txt", 2)
    np.testing.assert_allclose(triangle, [0, 0.1, 0.1, 0.5, 0.1, 0.5, 0.5], rtol=1e-15)
    assert len(bar) == 9
    assert ultralytics_rows(root / "labels/train/b.txt", 2) == []
    # A crowd is in no text file: the masks beside hold it, where Ultralytics trains on masks.
    semantic = yaml.safe_load((root / "semantic.yaml").read_text())
    assert (semantic["masks_dir"], semantic["names"]) == ("masks", {0: "background", 1: "square", 2: "bar"})
    with Image.open(root / "masks/train/a.png") as mask:
        assert (mask.mode, set(np.unique(mask))) == ("L", {0, 1, 2, 255})


def test_yolo_boxes_have_their_centre_and_size_as_fractions(converted):
    rows = ultralytics_rows(converted("yolo", outlines=False) / "labels/train/a.txt", 2)
    np.testing.assert_allclose(
        rows, [[0, 0.3, 0.3, 0.4, 0.4], [1, 48.5 / 60, 32.1 / 40, 16 / 60, 4.2 / 40]], rtol=1e-14
    )


def test_voc_counts_corners_from_one_and_marks_regions_as_difficult(converted):
    root = converted("voc")
    tree = ElementTree.parse(root / "Annotations/a.xml").getroot()
    assert [tree.findtext(name) for name in ("filename", "size/width", "size/height", "size/depth")] == [
        *("a.jpg", "60", "40", "3")
    ]
    rows = [
        [element.findtext(name) for name in ("name", "difficult", *(f"bndbox/{e}" for e in ("xmin", "ymin", "xmax")))]
        for element in tree.findall("object")
    ]
    assert rows == [
        ["square", "0", "7", "5", "30"],
        ["bar", "0", "41.5", "31", "56.5"],
        ["bar", "1", "46", "1", "55"],
    ]
    assert (root / "ImageSets/Main/train.txt").read_text() == "a\nb\n"
    assert (root / "ImageSets/Segmentation/val.txt").read_text() == "v\n"
    with Image.open(root / "SegmentationClass/a.png") as mask:
        assert mask.mode == "P"
        assert mask.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
        assert mask.getpalette()[-3:] == [224, 224, 192]
        assert set(np.unique(np.asarray(mask))) == {0, 1, 2, 255}
    assert json.loads((root / "mask_classes.json").read_text())["classes"] == ["background", "square", "bar"]


def test_voc_says_which_classes_its_files_do_not_tell(tmp_path):
    writer = Voc(tmp_path, Content(("cat", "dog"), None))
    cat = Annotation((1, 2, 3, 4), "cat")
    writer.write("train", [Picture("a.jpg", SIZE, [cat], False)])
    writer.finish({"train": [Picture("a.jpg", SIZE, [cat], False)]})
    assert writer.options == {"classes": ["cat", "dog"]}


def test_parts_of_an_outline_are_joined_and_cover_the_same_pixels():
    parts = [[10.1, 5.3, 29.9, 5.3, 29.9, 20.7], [33.3, 22.2, 40.1, 22.3, 38.7, 31.9], [3, 30, 9, 30, 6, 38]]
    merged = joined(parts)
    assert len(merged) == sum(map(len, parts)) + 2 * 4
    assert region([merged], SIZE)["counts"] == region(parts, SIZE)["counts"]
    assert is_kept(parts, SIZE)
    around = [[2, 2, 50, 2, 50, 30, 2, 30], [10, 10, 20, 10, 20, 20, 10, 20]]  # joined, the inner one is a hole
    assert not is_kept(around, SIZE)


def test_a_fraction_is_painted_where_its_pixel_was():
    values = np.round(np.random.default_rng(0).uniform(0, 640, 2000), 1)  # tenths lie where pycocotools rounds
    for value in [*values.tolist(), 0.0, 640.0]:
        again = fraction(value, 640) * 640
        assert int(5 * again + 0.5) == int(5 * value + 0.5)
        assert again == pytest.approx(value, abs=1e-12)
    assert (fraction(-0.4, 640), fraction(640.3, 640)) == (0, 1)


def test_yolo_tells_boxes_that_move_to_the_extent_of_their_outlines(tmp_path):
    objects = [Annotation((5, 4, 30, 20), "square", segmentation=[TRIANGLE])]
    writer = Yolo(tmp_path, Content(("square",), ("background", "square"), True, [(SIZE, objects)]))
    writer.write("train", [Picture("a.jpg", SIZE, objects, True)])
    told = "boxes that move by more than half a pixel: with polygons, YOLO's box is the extent of the polygon"
    assert (writer.rules[told], writer.masks("train")) == (1, None)


@pytest.mark.parametrize("outline", [CROWD, None])
def test_yolo_writes_boxes_and_masks_beside_where_an_object_has_no_polygon(tmp_path, outline):
    objects = [Annotation((6, 4, 30, 20), "square", segmentation=[TRIANGLE])]
    objects.append(Annotation((45, 0, 55, 40), "square", segmentation=outline))
    writer = Yolo(tmp_path, Content(("square",), ("background", "square"), True, [(SIZE, objects)]))
    writer.write("train", [Picture("a.jpg", SIZE, objects, True)])
    assert [len(row) for row in ultralytics_rows(tmp_path / "labels/train/a.txt", 1)] == [5, 5]
    assert writer.masks("train") == tmp_path / "masks/train"
