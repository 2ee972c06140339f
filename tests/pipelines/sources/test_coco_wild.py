"""COCO in the wild: values that tools write otherwise are read by a rule that is told, and a fault costs one object."""

import numpy as np
import pytest
from coco_files import BOX, CORNERS, TRIANGLE, boxes, first
from pycocotools import mask as rle

import pipelines


@pytest.mark.parametrize(
    ("change", "crowd"),
    [({"iscrowd": value}, False) for value in ("0", 0, False, None, "false", 0.0)]
    + [({"iscrowd": value}, True) for value in ("1", 1, True, "true")]
    + [({"ignore": 1}, True), ({"ignore": 0}, False)],
)
def test_a_flag_may_be_written_in_any_way(wild, change, crowd):
    number, box, _ = first(wild(change)[0])
    assert (number, box) == (-2 if crowd else 0, CORNERS)


def test_ids_may_be_text(wild):
    def change(content):
        for row in content["annotations"]:
            row["image_id"], row["category_id"] = str(row["image_id"]), "1"

    assert first(wild(change)[0])[:2] == (0, CORNERS)

    def other(content):
        for number, row in enumerate(content["images"]):
            row["id"] = content["annotations"][number]["image_id"] = f"image-{number}"
            row["width"], row["height"] = "60", 40.0

    assert first(wild(other)[0])[:2] == (0, CORNERS)


@pytest.mark.parametrize(
    ("change", "box", "told"),
    [
        ({"bbox": [str(v) for v in BOX]}, CORNERS, "its box written as text"),
        ({"bbox": None, "segmentation": [TRIANGLE]}, CORNERS, "its box from its outline, as it has none"),
        ({"bbox": [], "segmentation": TRIANGLE}, CORNERS, "its outline without COCO's brackets"),
        ({"segmentation": [[1, 2, 3, 4]]}, CORNERS, "its outline encloses nothing"),
        ({"segmentation": [[1, 2, 3, 4, 5, 6]]}, CORNERS, "its outline encloses nothing"),
        ({"segmentation": [[]]}, CORNERS, "its outline encloses nothing"),
        ({"segmentation": {"size": ["40", "60"], "counts": [2400]}}, CORNERS, "its outline encloses nothing"),
        ({"segmentation": [TRIANGLE, [1, 2]]}, CORNERS, "of its outline the polygons that enclose something"),
        ({"segmentation": [[10, 5], [30, 5], [10, 20]]}, CORNERS, "its outline without COCO's brackets"),
        ({"bbox": [10, 5, 0.5, 15]}, [10, 5, 10.5, 20], "box under one pixel"),
        ({"bbox": [-1.5, 5, 21.5, 15]}, [0, 5, 20, 20], "cut at the picture's edge"),
        ({"attributes": {"rotation": 90.0}}, [12.5, 2.5, 27.5, 22.5], "the upright box around one that is turned"),
        ({"id": 1}, CORNERS, "its id is another's too"),
        ({"segmentation": [[40, 30, 50, 30, 50, 39]]}, CORNERS, "its outline lies elsewhere than its box"),
        ({"segmentation": [[0.2, 0.1, 0.5, 0.1, 0.5, 0.5]]}, CORNERS, "its outline lies elsewhere than its box"),
    ],
)
def test_what_is_read_otherwise_than_it_is_written_is_counted_and_noted(wild, change, box, told):
    data, notes = wild(change)
    _, found, altered = first(data)
    assert found == pytest.approx(box)
    (key,) = [key for key in altered if key.startswith(told)]
    assert altered[key] == 1
    assert any(f"1 annotation is used, {told}" in note for note in notes)
    assert data.accounts[0].balance().annotations_used == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"iscrowd": "perhaps"}, "iscrowd is 'perhaps', expected 0 or 1"),
        ({"bbox": ["x", 1, 2, 3]}, r"is not \[x, y, width, height\]"),
        ({"bbox": [10, 5, float("nan"), 3]}, "is not finite"),
        ({"bbox": [10, 5, 10**400, 3]}, "is not finite"),
        ({"bbox": None}, r"bbox None is not"),
        ({"category_id": "dog"}, "category_id 'dog' is unknown"),
        ({"image_id": {}}, "image_id is {}, expected a whole number"),
        ({"bbox": None, "segmentation": [[float("nan")] * 6]}, "has a polygon that is not"),
    ],
)
def test_what_is_wrong_with_one_object_costs_that_object_alone(wild, change, message):
    with pytest.raises(pipelines.DataError, match=rf"annotations: id 0: .*{message}.* \(set data.on_error to skip"):
        wild(change)
    data, _ = wild(change, on_error="skip")
    assert data.sizes == {"train": 2}
    assert [rows for _, rows in boxes(data.train)] == [[], [CORNERS]]
    assert data.accounts[0].balance().annotations_lost.total() == 1


def test_an_object_twice_is_told(wild):
    def change(content):
        content["annotations"].append(dict(content["annotations"][0]))

    with pytest.raises(pipelines.DataError, match="id 0: it is given twice"):
        wild(change)


@pytest.mark.parametrize(("height", "width"), [(0, 0), (0, 60), (None, None)])
def test_a_size_that_is_not_given_is_the_pictures(wild, height, width):
    def change(content):
        content["images"][0].update(height=height, width=width)

    assert first(wild(change)[0])[1] == CORNERS


def test_a_supercategory_without_objects_is_no_class_and_one_with_some_is(wild):
    categories = [
        {"id": 0, "name": "pets", "supercategory": "none"},
        {"id": 1, "name": "cat", "supercategory": "pets"},
        {"id": 7, "name": "dog", "supercategory": "pets"},
    ]
    data, notes = wild(lambda content: {**content, "categories": categories})
    assert data.specs[0].classes == ("cat", "dog")
    assert any("category 'pets' is set aside" in note for note in notes)

    def change(content):
        content["annotations"][0]["category_id"] = 0
        return {**content, "categories": categories}

    assert wild(change)[0].specs[0].classes == ("pets", "cat", "dog")
    same = [{"id": 0, "name": "cat", "supercategory": "none"}, {"id": 1, "name": "cat", "supercategory": "cat"}]
    assert wild(lambda content: {**content, "categories": same})[0].specs[0].classes == ("cat",)


def test_two_categories_of_one_name_are_one_class_only_if_they_are_of_one_supercategory(wild):
    two = [{"id": 1, "name": "cat", "supercategory": "pet"}, {"id": 2, "name": "cat", "supercategory": "pet"}]

    def change(content):
        content["annotations"][1]["category_id"] = 2
        return {**content, "categories": two}

    data, notes = wild(change)
    assert data.specs[0].classes == ("cat",)
    assert any("categories 1 and 2 are both named 'cat': they are one class" in note for note in notes)
    two[1]["supercategory"] = "wild"
    with pytest.raises(
        pipelines.DataError, match="ids 1 and 2 are both named 'cat', of supercategories 'pet' and 'wild'"
    ):
        wild(change)


def test_boxes_in_fractions_are_read_by_what_all_of_a_file_say(wild):
    def change(content):
        for row in content["annotations"]:
            row.update(bbox=[1 / 6, 1 / 8, 1 / 3, 3 / 8], segmentation=[[1 / 6, 1 / 8, 0.5, 1 / 8, 1 / 6, 0.5]])

    data, notes = wild(change)
    assert first(data)[1] == pytest.approx(CORNERS)
    assert any("all boxes lie within 1 x 1: they are read as fractions" in note for note in notes)
    _, labels, _ = next(iter(data.train.as_numpy_iterator()))
    expected = rle.decode(rle.merge(rle.frPyObjects([TRIANGLE], 40, 60)))
    np.testing.assert_array_equal(labels["segmentation"][0], expected)

    def unsized(content):
        change(content)
        for row in content["images"]:
            row.update(height=0, width=0)

    data, _ = wild(unsized)
    assert first(data)[1] == pytest.approx(CORNERS)
    _, labels, _ = next(iter(data.train.as_numpy_iterator()))
    np.testing.assert_array_equal(labels["segmentation"][0], expected)


def test_corners_in_place_of_sizes_are_refused_and_an_option_reads_them(wild):
    def change(content):
        for row in content["annotations"]:
            row["bbox"] = [40, 30, 50, 38]

    expected = r"2 of 2 boxes leave their image, but all are sound as \[x_min.*data.options.bbox=corners"
    for on_error in ("stop", "skip"):
        with pytest.raises(pipelines.DataError, match=expected):
            wild(change, on_error=on_error)
    assert first(wild(change, bbox="corners")[0])[1] == [40, 30, 50, 38]


def test_masks_that_are_all_crowds_are_told_and_an_option_learns_them(wild):
    inside = np.zeros((40, 60), np.uint8)
    inside[5:20, 10:30] = 1
    counts = np.diff(np.flatnonzero(np.diff(np.concatenate([[2], inside.T.ravel(), [2]])))).tolist()

    def change(content):
        for row in content["annotations"]:
            row.update(iscrowd=1, segmentation={"size": [40, 60], "counts": counts})

    data, notes = wild(change)
    assert first(data)[0] == -2
    assert any("2 of 2 objects are regions to ignore (iscrowd is 1)" in n and "crowds=learn" in n for n in notes)
    data, notes = wild(change, crowds="learn")
    assert first(data)[0] == 0
    assert not notes
    _, labels, _ = next(iter(data.train.as_numpy_iterator()))
    np.testing.assert_array_equal(labels["segmentation"][0], inside)


def test_more_categories_than_a_mask_holds_are_told(wild):
    def change(content):
        content["annotations"][0]["segmentation"] = [TRIANGLE]
        content["categories"] += [{"id": 1000 + i, "name": f"class {i}"} for i in range(254)]

    data, notes = wild(change)
    assert [spec.name for spec in data.specs] == ["classification", "detection"]
    assert any("no task 'segmentation': masks hold 254 categories at most, and there are 255" in note for note in notes)


def test_keypoints_are_said_not_to_be_read(wild):
    _, notes = wild({"keypoints": [1, 2, 2], "num_keypoints": 1})
    assert any("its keypoints are not read" in note for note in notes)


def test_a_split_whose_images_are_all_unusable_says_why_the_first_was(wild):
    def change(content):
        for row in content["images"]:
            del row["file_name"]

    with pytest.raises(pipelines.DataError, match=r"Split 'train' is empty: .* The first: .*needs 'id'"):
        wild(change, on_error="skip")


def test_what_falls_to_a_split_that_is_not_asked_for_is_set_aside(wild):
    names = tuple(f"{i}.jpg" for i in range(40))
    data, _ = wild(names=names, divide=True)
    balance = data.accounts[0].balance()
    assert 20 < data.sizes["train"] < 40
    assert balance.annotations_used == data.sizes["train"]
    assert balance.annotations_aside == {"of a split that is not asked for": 40 - data.sizes["train"]}
