"""An image whose objects all are unusable is not known to show nothing: it labels no task, and that is said."""

import json

import numpy as np
import pytest
from folder_files import GROUND

import pipelines
from pipelines.errors import noted

NAMES = ["good", "lost", "bare"]
SHAPE = {"label": "cat", "shape_type": "rectangle", "points": [[5, 5], [25, 20]]}
SHEET = {"imagePath": "{}.jpg", "imageHeight": 40, "imageWidth": 60}


def coco(boxes):
    content = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
    for number, (name, box) in enumerate(zip(NAMES, boxes, strict=True)):
        content["images"].append({"id": number, "file_name": f"{name}.jpg", "height": 40, "width": 60})
        if box:
            content["annotations"].append({"id": number, "image_id": number, "category_id": 1, "bbox": box})
    return {"annotations.json": json.dumps(content)} | {f"images/{name}.jpg": None for name in NAMES}


def voc(objects):
    files = {f"JPEGImages/{name}.jpg": None for name in NAMES}
    for name, box in zip(NAMES, objects, strict=True):
        row = f"<object><name>cat</name><bndbox>{box}</bndbox></object>" if box else ""
        files[f"Annotations/{name}.xml"] = f"<annotation>{row}</annotation>"
    return files


def yolo(lines):
    files = {f"images/{name}.jpg": None for name in NAMES} | {"data.yaml": "names: [cat]"}
    return files | {f"labels/{name}.txt": line for name, line in zip(NAMES, lines, strict=True)}


def labelme(shapes):
    files = {f"{name}.jpg": None for name in NAMES}
    for name, shape in zip(NAMES, shapes, strict=True):
        sheet = SHEET | {"imagePath": f"{name}.jpg", "shapes": [shape] if shape else []}
        files[f"{name}.json"] = json.dumps(sheet)
    return files


FOLDERS = {
    "coco": coco([[5, 5, 20, 15], [5, 5, -20, 15], None]),
    "coco's flat boxes": coco([[5, 5, 20, 15], [5, 5, 0, 15], None]),
    "voc": voc([f"<xmin>5</xmin><ymin>5</ymin><xmax>{right}</xmax><ymax>20</ymax>" for right in (25, 900)] + [""]),
    "yolo": yolo(["0 0.5 0.5 0.2 0.2", "3 0.5 0.5 0.2 0.2", ""]),
    "yolo outside": yolo(["0 0.5 0.5 0.2 0.2", "0 0.5 0.5 3 0.2", ""]),
    "yolo of words": yolo(["0 0.5 0.5 0.2 0.2", "cat 0.5 0.5 0.2 0.2", ""]),
    "labelme": labelme([SHAPE, SHAPE | {"points": [[5, 5], [5, 20]]}, None]),
    "labelme's points": labelme([SHAPE, SHAPE | {"shape_type": "point", "points": [[5, 5]]}, None]),
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_image_of_which_every_object_is_lost_is_no_background(write, folder):
    path = write(FOLDERS[folder])
    with noted() as notes:
        data = pipelines.load(str(path), (40, 60), 1, splits=["train"], on_error="skip", shuffle=False)
    told = [note for note in notes if "no object left" in note]
    assert len(told) == 1
    assert "lost.jpg" in told[0]
    read = list(data.splits["train"].as_numpy_iterator())
    assert sorted(int((labels["detection"]["classes"] >= 0).sum()) for _, labels, _ in read) == [0, 0, 1]
    for task in ("classification", "detection"):
        assert sorted(float(weights[task][0]) for _, _, weights in read) == [0, 1, 1]


@pytest.mark.parametrize("second", ["masks/b_mask.png", "masks/b.bmp"])
def test_an_image_with_two_masks_has_none(write, second):
    files = {f"images/{name}.jpg": None for name in "ab"} | {f"masks/{name}.png": GROUND for name in "ab"}
    path = write(files | {second: 1 - GROUND})
    options = {"mask_classes": ["ground", "thing"], "splits": ["train"], "shuffle": False}
    with pytest.raises(pipelines.DataError, match=r"b\.png' and '.* are both of one image, which has one mask"):
        pipelines.load(str(path), (40, 60), 1, **options)
    with noted():
        data = pipelines.load(str(path), (40, 60), 1, on_error="skip", **options)
    read = list(data.splits["train"].as_numpy_iterator())
    assert [float(weights["segmentation"][0]) for _, _, weights in read] == [1, 0]
    np.testing.assert_array_equal(read[0][1]["segmentation"][0], GROUND)
    assert {*data.accounts[0].balance().lost} == {"masks/b.png", second}
