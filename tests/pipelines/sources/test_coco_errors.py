"""Each way a COCO folder can be broken gives one sentence that names the file, or is skipped and listed."""

import json

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from PIL import Image

import pipelines

GOOD = (3, 10, 5, 20, 20)
TWO = {"a.jpg": [GOOD], "b.jpg": [GOOD]}


def cut_json(folder):
    path = folder / "annotations.json"
    path.write_text(path.read_text()[:-40])


def change_json(**changes):
    def change(folder):
        path = folder / "annotations.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def truncate(name):
    def change(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[:-20])

    return change


def mask_of(values, size=(40, 60), mode=None):
    def change(folder):
        picture = Image.fromarray(np.full(size, values, np.uint8))
        (picture.convert(mode) if mode else picture).save(folder / "masks" / "a.png")

    return change


BROKEN_SAMPLES = {
    "missing image": (lambda f: (f / "images/a.jpg").unlink(), r"images/a.jpg' is missing"),
    "zero bytes": (lambda f: (f / "images/a.jpg").write_bytes(b""), r"images/a.jpg' cannot be read.*it is empty"),
    "no picture": (lambda f: (f / "images/a.jpg").write_text("hello"), r"images/a.jpg' cannot be read as a picture"),
    "truncated image": (truncate("images/a.jpg"), r"images/a.jpg' is truncated or damaged"),
    "truncated mask": (truncate("masks/a.png"), r"masks/a.png' is truncated or damaged"),
    "missing mask": (lambda f: (f / "masks/a.png").unlink(), r"masks/a.png' is missing"),
    "mask size": (mask_of(0, (30, 60)), r"masks/a.png' is 60 x 30, but image .*images/a.jpg' is 60 x 40"),
    "mask value": (mask_of(9), r"masks/a.png' has the value 9: expected 0 to 2, or 255"),
    "colour mask": (mask_of(1, mode="RGB"), r"masks/a.png' has 3 channels: expected one"),
    "other size": (
        lambda f: Image.new("RGB", (50, 40)).save(f / "images/a.jpg"),
        r"images/a.jpg' is 50 x 40, but .*annotations.json' gives width 60 and height 40",
    ),
}


@pytest.mark.parametrize(
    ("name", "cache"),
    few(
        [(name, True) for name in BROKEN_SAMPLES] + [("truncated mask", False), ("mask value", False)],
        keep=[("missing image", True), ("truncated image", True), ("mask size", True), ("mask value", False)],
    ),
)
def test_a_broken_sample_stops_the_loading_or_is_skipped(coco, load, name, cache):
    breaking, message = BROKEN_SAMPLES[name]
    folder = coco(TWO, masks=True)
    breaking(folder)
    with pytest.raises(pipelines.DataError, match=message):
        load(folder, cache=cache)
    data = load(folder, cache=cache, on_error="skip")
    assert data.sizes == {"train": 1}
    assert len(data.skipped) == 1
    assert len(list(data.train)) == 1


@pytest.mark.parametrize("name", ["truncated image", "truncated mask"])
def test_headers_alone_find_a_truncated_file(coco, load, name):
    breaking, _ = BROKEN_SAMPLES[name]
    folder = coco(TWO, masks=True)
    breaking(folder)
    with pytest.raises(pipelines.DataError, match="is truncated: its end marker is missing"):
        load(folder, cache=False, check="headers")


def test_after_a_check_of_headers_alone_an_unknown_mask_value_stops_when_it_is_met(coco, load):
    folder = coco({"a.png": [GOOD]}, masks=True)
    mask_of(9)(folder)
    data = load(folder, cache=False, check="headers")
    with pytest.raises(tf.errors.InvalidArgumentError, match="a.png.+has a value that is no class: check: full"):
        list(data.train)


@pytest.mark.parametrize("check", ["headers", "full"])
def test_what_is_kept_in_memory_is_looked_at_whatever_was_to_be_checked(coco, load, check):
    folder = coco({"a.png": [GOOD], "b.png": [GOOD], "c.png": [GOOD]}, masks=True)
    mask_of(9)(folder)
    with pytest.raises(pipelines.DataError, match=r"a\.png.+9"):
        load(folder, check=check)
    data = load(folder, check=check, on_error="skip")
    assert (data.sizes["train"], len(data.skipped)) == (2, 1)
    assert len(list(data.train.unbatch())) == 2


BROKEN_BOXES = {
    "outside": ((3, 50, 5, 20, 20), r"box \(50, 5, 70, 25\) lies outside its image of 60 x 40 \('a.jpg'\)"),
    "reversed": ((3, 10, 5, -4, 20), r"bbox \[10, 5, -4, 20\] has no area \('a.jpg'\)"),
    "NaN": ((3, 10, float("nan"), 4, 20), r"bbox .*nan.* is not finite \('a.jpg'\)"),
    "unknown category": ((5, 10, 5, 20, 20), r"category_id 5 is unknown \('a.jpg'\)"),
    "no image": ((*GOOD, {"image_id": 99}), r"image_id 99 is no image of the file"),
    "no image id": ((*GOOD, {"image_id": None}), r"image_id is None, expected a whole number"),
    "no box": ((*GOOD, {"bbox": [1, 2, 3]}), r"bbox \[1, 2, 3\] is not \[x, y, width, height\]"),
}


@pytest.mark.parametrize("name", BROKEN_BOXES)
def test_a_broken_box_stops_the_loading_or_is_skipped_alone(coco, load, name):
    row, message = BROKEN_BOXES[name]
    folder = coco({"a.jpg": [row, GOOD]})
    with pytest.raises(pipelines.DataError, match=r"annotations.json': annotations: id 1: .*" + message):
        load(folder)
    data = load(folder, on_error="skip")
    ((_, labels, _),) = data.train.as_numpy_iterator()
    assert len(data.skipped) == 1
    assert (labels["detection"]["classes"] >= 0).sum() == 1


def test_a_box_without_width_or_height_is_set_aside_as_coco_itself_has_some(coco, load):
    data = load(coco({"a.jpg": [(3, 10, 5, 0, 20), GOOD, (3, 10, 5, 4, 0)]}))
    ((_, labels, _),) = data.train.as_numpy_iterator()
    assert (labels["detection"]["classes"] >= 0).sum() == 1
    balance = data.accounts[0].balance()
    assert balance.annotations_aside == {"a box without width or height": 2}
    assert balance.annotations_used == 1


@pytest.mark.parametrize(
    "outline",
    few(
        [
            [["a"] * 6],
            "polygon",
            {"size": [9, 9], "counts": [81]},
            {"counts": "x"},
            {"size": [40, 60]},
            {"size": [40, 60], "counts": "0000PPQQ"},
        ],
        keep=[[["a"] * 6], {"size": [40, 60], "counts": "0000PPQQ"}],
    ),
)
def test_a_broken_outline_is_told_and_costs_neither_its_box_nor_its_image(coco, load, outline):
    folder = coco({"a.jpg": [(*GOOD, {"segmentation": outline})], "b.jpg": []})
    with pytest.raises(
        pipelines.DataError, match=r"id 1: segmentation .*'a.jpg'\): its box is used alone \(set data.on"
    ):
        load(folder)
    data = load(folder, on_error="skip")
    assert data.sizes == {"train": 2}
    assert len(data.skipped) == 1
    (_, labels, _), _ = data.train.as_numpy_iterator()
    assert labels["detection"]["boxes"][0, 0].tolist() == [10, 5, 30, 25]


@pytest.mark.parametrize(
    ("breaking", "message"),
    [
        (cut_json, r"annotations.json' is not valid JSON, it may be cut off"),
        (lambda f: (f / "annotations.json").write_text("[]"), r"is no COCO instance file: it needs .* 'images'"),
        (change_json(categories={}), r"is no COCO instance file: it needs .* 'categories'"),
        (change_json(categories=[{"id": 3}]), r"categories: {'id': 3} needs"),
        (change_json(images=[], annotations=[]), r"Split 'train' is empty"),
        (
            change_json(images=[{"id": 1, "file_name": "../c.jpg"}], annotations=[]),
            r"file_name '../c.jpg' leads out of the image folder",
        ),
        (
            change_json(images=[{"id": 1, "file_name": "/etc/c.jpg"}], annotations=[]),
            r"leads out of the image folder",
        ),
        (change_json(images=[{"id": 1}]), r"needs 'id' \(a whole number\) and 'file_name'"),
        (
            change_json(images=[{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}]),
            r"id 1 of 'b.jpg' is given twice",
        ),
        (change_json(images=[{"id": 1, "file_name": "a.jpg", "width": 60}]), r"'a.jpg' has height None and width 60"),
        (lambda f: (f / "mask_classes.json").write_text("{}"), r"mask_classes.json' must be"),
        (lambda f: (f / "mask_classes.json").write_text("\0"), r"mask_classes.json' is no text"),
        (lambda f: (f / "mask_classes.json").write_text("1" * 5000), r"mask_classes.json' must be"),
        (lambda f: (f / "mask_classes.json").write_text("[" * 100_000), r"mask_classes.json' must be"),
    ],
)
def test_a_broken_index_stops_the_loading(coco, load, breaking, message):
    folder = coco(TWO)
    breaking(folder)
    with pytest.raises(pipelines.DataError, match=message) as caught:
        load(folder)
    assert str(folder) in str(caught.value)


def test_counts_add_up_when_much_is_skipped(coco, load):
    folder = coco({f"{i}.jpg": [GOOD, (3, 0, 0, 99, 1)] for i in range(6)})
    truncate("images/2.jpg")(folder)
    (folder / "images/4.jpg").unlink()
    data = load(folder, on_error="skip")
    assert data.sizes["train"] + 2 == 6
    assert len(data.skipped) == 6 + 2


def test_no_category_is_told(coco, load):
    with pytest.raises(
        pipelines.DataError, match=r"annotations.json' has no categories, and so no classes: write them"
    ):
        load(coco(TWO, categories=[]), on_error="skip")


def test_no_label_left_is_told(coco, load):
    folder = coco({f"{n}.jpg": [(3, 5, 5, -20, 15)] for n in range(3)})
    with pytest.raises(
        pipelines.DataError, match=r"has no label that can be used\. The first of 3 problems: .*no area"
    ):
        load(folder, on_error="skip")


def test_everything_skipped_is_an_error(coco, load):
    folder = coco({"a.jpg": [GOOD]})
    truncate("images/a.jpg")(folder)
    with pytest.raises(pipelines.DataError, match="Split 'train' has 0 usable images"):
        load(folder, on_error="skip")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"tasks": ["segmentation"]},
            r"Task 'segmentation' has no labels in .*there are labels for: classification, detec",
        ),
        ({"batch_size": 9}, r"Split 'train' has 2 usable images, fewer than one batch of 9"),
        ({"batch_size": 0}, r"batch_size is 0: expected a whole number above 0"),
        ({"resize": "stretched"}, r"Unknown resize 'stretched'. Did you mean 'stretch'\?"),
        ({"splits": ["trian"]}, r"Unknown split 'trian'. Did you mean 'train'\?"),
        ({"splits": []}, r"splits is empty"),
        ({"on_error": "ignore"}, r"Unknown on_error 'ignore'"),
        ({"chekc": "full"}, r"Unknown option of source 'coco' 'chekc'. Did you mean 'check'\?"),
        ({"check": "none"}, r"Unknown check 'none'"),
        ({"augmentation": {"flipp": True}}, r"Unknown augmentation 'flipp'. Did you mean 'flip'\?"),
    ],
)
def test_a_wrong_argument_is_told_in_one_sentence(coco, load, options, message):
    with pytest.raises(pipelines.DataError, match=message):
        load(coco(TWO), **options)


def test_an_unknown_source_is_refused_with_the_nearest_name():
    with pytest.raises(
        pipelines.DataError, match=r"Unknown source 'cocoa'. Did you mean 'coco'\? Valid: cityscapes, coco, csv, folder"
    ):
        pipelines.load("cocoa")
    with pytest.raises(pipelines.DataError, match="needs data.path=FOLDER"):
        pipelines.load("coco")
    with pytest.raises(pipelines.DataError, match="Folder 'nowhere' does not exist"):
        pipelines.load("coco", path="nowhere")
