"""What the labels of a COCO folder become."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as rle

import pipelines

SQUARE = (3, 10, 5, 20, 20)
BAR = (7, 40, 30, 16, 4)


def only(dataset):
    """The one image of a data set, as NumPy: image, labels, weights."""
    (batch,) = dataset.as_numpy_iterator()
    image, labels, weights = batch
    labels = {name: value if isinstance(value, dict) else value[0] for name, value in labels.items()}
    return image[0], labels, {name: value[0] for name, value in weights.items()}


def objects(labels):
    """The rows of the boxes that are not padding."""
    boxes, classes = labels["detection"]["boxes"][0], labels["detection"]["classes"][0]
    return [(int(c), b.tolist()) for c, b in zip(classes, boxes, strict=True) if c != -1]


def test_classes_are_the_categories_in_the_order_of_their_ids(coco, load):
    data = load(coco({"a.png": [SQUARE, BAR]}))
    assert [(s.name, s.kind, s.classes) for s in data.specs] == [
        ("classification", "multi_label", ("square", "bar")),
        ("detection", "detection", ("square", "bar")),
    ]
    _, labels, weights = only(data.train)
    assert labels["classification"].tolist() == [1.0, 1.0]
    assert objects(labels) == [(0, [10.0, 5.0, 30.0, 25.0]), (1, [40.0, 30.0, 56.0, 34.0])]
    assert weights == {"classification": 1.0, "detection": 1.0}


def test_a_batch_has_the_documented_types_and_static_shapes(coco, load):
    data = load(coco({"a.png": [SQUARE]}, masks=True), max_boxes=7)
    images, labels, weights = data.train.element_spec
    assert (images.shape, images.dtype) == ((1, 40, 60, 3), "uint8")
    assert (labels["detection"]["boxes"].shape, labels["detection"]["boxes"].dtype) == ((1, 7, 4), "float32")
    assert (labels["detection"]["classes"].shape, labels["detection"]["classes"].dtype) == ((1, 7), "int32")
    assert (labels["segmentation"].shape, labels["segmentation"].dtype) == ((1, 40, 60), "int32")
    assert (labels["classification"].shape, labels["classification"].dtype) == ((1, 2), "float32")
    assert all((w.shape, w.dtype) == ((1,), "float32") for w in weights.values())


def test_an_image_without_objects_is_kept_with_padding_alone(coco, load):
    _, labels, weights = only(load(coco({"a.png": []})).train)
    assert objects(labels) == []
    assert not labels["detection"]["boxes"].any()
    assert labels["classification"].tolist() == [0.0, 0.0]
    assert weights["detection"] == 1.0


def test_crowds_follow_the_objects_are_ignored_and_count_as_present(coco, load):
    crowd = (7, 0, 0, 8, 8, {"iscrowd": 1, "segmentation": [[0, 0, 8, 0, 8, 8, 0, 8]]})
    square = (*SQUARE, {"segmentation": [[10, 5, 30, 5, 30, 25, 10, 25]]})
    _, labels, _ = only(load(coco({"a.png": [crowd, square]})).train)
    assert objects(labels) == [(0, [10.0, 5.0, 30.0, 25.0]), (-2, [0.0, 0.0, 8.0, 8.0])]
    assert labels["classification"].tolist() == [1.0, 1.0]
    assert (labels["segmentation"][:8, :8] == 255).all()
    assert (labels["segmentation"][5:25, 10:30] == 1).all()


def test_an_object_is_painted_over_a_crowd_and_a_small_one_over_a_large_one(coco, load):
    def row(category, x, y, size, crowd=0):
        outline = [[x, y, x + size, y, x + size, y + size, x, y + size]]
        return category, x, y, size, size, {"segmentation": outline, "iscrowd": crowd}

    _, labels, _ = only(load(coco({"a.png": [row(7, 12, 12, 6), row(3, 4, 4, 30), row(7, 0, 0, 38, crowd=1)]})).train)
    mask = labels["segmentation"]
    assert (mask[14, 14], mask[6, 6], mask[2, 2], mask[39, 59]) == (2, 1, 255, 0)


@pytest.mark.parametrize("form", ["polygon", "counts", "compressed"])
def test_polygons_and_both_kinds_of_rle_give_the_same_mask(coco, load, form):
    inside = np.zeros((40, 60), np.uint8)
    inside[5:25, 10:30] = 1
    packed = rle.encode(np.asfortranarray(inside))
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[2], inside.T.ravel(), [2]]))))
    outline = {
        "polygon": [[10, 5, 30, 5, 30, 25, 10, 25]],
        "counts": {"size": [40, 60], "counts": runs.tolist()},
        "compressed": {"size": [40, 60], "counts": packed["counts"].decode()},
    }[form]
    data = load(coco({"a.png": [(*SQUARE, {"segmentation": outline})]}))
    assert data.specs[2].classes == ("background", "square", "bar")
    np.testing.assert_array_equal(only(data.train)[1]["segmentation"], inside)


def test_objects_of_one_class_in_several_forms_are_painted_together(coco, load):
    inside = np.zeros((40, 60), np.uint8)
    inside[30:34, 40:56] = 1
    outlines = [
        [[10, 5, 30, 5, 30, 25, 10, 25]],
        {"size": [40, 60], "counts": rle.encode(np.asfortranarray(inside))["counts"].decode()},
        {"size": [40, 60], "counts": [0, 2, 2398]},
    ]
    expected = inside.copy()
    expected[5:25, 10:30] = expected[:2, 0] = 1
    rows = [(*SQUARE, {"segmentation": outline}) for outline in outlines]
    np.testing.assert_array_equal(only(load(coco({"a.png": rows})).train)[1]["segmentation"], expected)


def test_an_image_with_an_object_without_outline_has_no_weight_in_segmentation(coco, load):
    outlined = (*SQUARE, {"segmentation": [[10, 5, 30, 5, 30, 25, 10, 25]]})
    data = load(coco({"a.png": [outlined], "b.png": [outlined, BAR], "c.png": []}))
    weights = [w["segmentation"][0] for _, _, w in data.train.as_numpy_iterator()]
    assert weights == [1.0, 0.0, 1.0]


def test_masks_of_files_have_the_classes_and_the_ignored_value_of_mask_classes(coco, load):
    folder = coco({"a.png": [SQUARE, BAR]}, masks=True)
    (folder / "mask_classes.json").write_text(json.dumps({"classes": ["ground", "thing"], "ignore": 2}))
    data = load(folder)
    _, labels, _ = only(data.train)
    assert data.specs[2].classes == ("ground", "thing")
    assert (labels["segmentation"][5:25, 10:30] == 1).all()
    assert (labels["segmentation"][30:34, 40:56] == 255).all()


@pytest.mark.parametrize("palette", [True, False])
def test_masks_of_files_may_be_of_colours_and_one_of_them_ignored(coco, load, palette):
    folder = coco({"a.png": [SQUARE, BAR]}, masks=True)
    colours = {"ground": [0, 0, 0], "thing": [128, 64, 128], "edge": [224, 224, 192]}
    ids = np.asarray(Image.open(folder / "masks" / "a.png"))
    Image.fromarray(np.array([*colours.values()], np.uint8)[ids]).save(folder / "masks" / "a.png")
    if palette:
        rows = [",".join(map(str, [name, *colour])) for name, colour in colours.items()]
        (folder / "class_dict.csv").write_text("\n".join(["name,r,g,b", *rows]))
    data = load(folder, ignore="edge", **({} if palette else {"mask_colours": colours}))
    _, labels, _ = only(data.train)
    assert data.specs[2].classes == ("ground", "thing")
    np.testing.assert_array_equal(labels["segmentation"], np.array([0, 1, 255], np.uint8)[ids])


def test_masks_of_files_may_count_from_1(coco, load):
    folder = coco({"a.png": [SQUARE, BAR]}, masks=True)
    (folder / "mask_classes.json").write_text(json.dumps({"classes": ["thing", "bar"]}))
    _, labels, _ = only(load(folder, mask_offset=1).train)
    ids = np.asarray(Image.open(folder / "masks" / "a.png"))
    np.testing.assert_array_equal(labels["segmentation"], np.array([255, 0, 1], np.uint8)[ids])


@pytest.mark.parametrize("option", [{"mask_colours": {"thing": 1}}, {"mask_offset": 1}, {"ignore": 0}])
def test_an_option_of_masks_where_there_are_none_is_told(coco, load, option):
    with pytest.warns(UserWarning, match=rf"Option {next(iter(option))} is not used: '.*data' has no masks in files"):
        load(coco({"a.png": [SQUARE]}), **option)


def test_tasks_limits_what_is_read(coco, load):
    folder = coco({"a.png": [SQUARE]}, masks=True)
    (folder / "masks" / "a.png").unlink()
    data = load(folder, tasks=["detection"])
    assert [spec.name for spec in data.specs] == ["detection"]
    assert list(only(data.train)[1]) == ["detection"]


def test_of_more_objects_than_max_boxes_the_largest_are_kept_with_one_warning(coco, load):
    many = [(3, 1, 1, side, side) for side in (4, 9, 2, 7)]
    with pytest.warns(UserWarning, match="1 of 1 images have more objects than max_boxes=2") as warned:
        data = load(coco({"a.png": many}), max_boxes=2)
    assert len([w for w in warned if "max_boxes" in str(w.message)]) == 1
    assert [box[2] - box[0] for _, box in objects(only(data.train)[1])] == [9.0, 7.0]


@pytest.mark.parametrize("box", [(-1.5, 5, 20, 20), (45, 22, 16.9, 19)])
def test_a_box_that_overhangs_by_rounding_is_clipped(coco, load, box):
    (_, (x_min, y_min, x_max, y_max)), *_ = objects(only(load(coco({"a.png": [(3, *box)]})).train)[1])
    assert 0 <= x_min < x_max <= 60
    assert 0 <= y_min < y_max <= 40


def test_boxes_of_an_image_whose_size_the_json_does_not_give_are_checked_against_the_file(coco, load):
    folder = coco({"a.png": [(3, 45, 5, 16, 20)]}, images=[{"id": 1, "file_name": "a.png"}])
    assert objects(only(load(folder).train)[1]) == [(0, [45.0, 5.0, 60.0, 25.0])]
    folder = coco({"a.png": [(3, 45, 5, 26, 20)]}, at="other", images=[{"id": 1, "file_name": "a.png"}])
    with pytest.raises(pipelines.DataError, match="lies outside its image of 60 x 40"):
        load(folder)
