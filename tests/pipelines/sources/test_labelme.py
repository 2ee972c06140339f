"""labelme's JSON: every shape as it was drawn, every file accounted for."""

import base64
import io
import json
from math import pi

import numpy as np
import pytest
from PIL import Image
from voc_files import clutter, put

import pipelines


def shape(label, points, kind="polygon", **more):
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def sheet(*shapes, image="a.jpg", **more):
    """A file as labelme 5.4 writes it."""
    content = {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": image, "imageData": None}
    return json.dumps({**content, "imageHeight": 40, "imageWidth": 60, **more})


def patch(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels.astype(bool)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


SQUARE = shape("cat", [[10, 5], [30, 5], [30, 25], [10, 25]])
BAR = shape("bar", [[56.5, 34], [40, 30]], "rectangle")


@pytest.fixture
def read(tmp_path):
    """A function that reads a folder unaided: the boxes and pixels of its images by name, the account, the survey."""

    def read(files, **options):
        root = put(tmp_path, **files)
        assert pipelines.recognise(root) == "labelme"
        options = {"splits": ["train"], **options}
        survey = pipelines.survey("labelme", root, **options)
        rows, pixels = {}, {}
        for example in survey.examples(100, (40, 60)):
            name = example.name.rpartition("/")[2]
            if "detection" in example.labels:
                label = example.labels["detection"]
                known = label["classes"][0] != -1
                both = zip(label["classes"][0][known].tolist(), label["boxes"][0][known].tolist(), strict=True)
                rows[name] = [(c, *(round(x, 3) for x in box)) for c, box in both]
                pixels[name] = example.labels["segmentation"][0]
        return rows, pixels, survey.source.accounts[0].balance(), survey

    return read


def test_polygons_and_rectangles_are_boxes_and_outlines(read):
    rows, pixels, balance, survey = read({"a.jpg": None, "a.json": sheet(SQUARE, BAR)})
    assert [(s.name, s.kind, s.classes) for s in survey.specs] == [
        ("classification", "multi_label", ("bar", "cat")),
        ("detection", "detection", ("bar", "cat")),
        ("segmentation", "segmentation", ("background", "bar", "cat")),
    ]
    assert rows["a.jpg"] == [(1, 10, 5, 30, 25), (0, 40, 30, 56.5, 34)]
    assert (pixels["a.jpg"] == 2).sum() == 400
    assert (pixels["a.jpg"][5:25, 10:30] == 2).all()
    assert not balance.lost
    assert balance.annotations_used == 2


def test_a_circle_is_its_centre_and_a_point_of_its_rim_and_is_cut_at_the_edge(read):
    whole, half = shape("cat", [[30, 20], [33, 24]], "circle"), shape("cat", [[0, 20], [10, 20]], "circle")
    rows, pixels, balance, _ = read(
        {"a.jpg": None, "a.json": sheet(whole), "b.jpg": None, "b.json": sheet(half, image="b.jpg")}
    )
    assert rows == {"a.jpg": [(0, 25, 15, 35, 25)], "b.jpg": [(0, 0, 10, 10, 30)]}
    assert abs((pixels["a.jpg"] == 1).sum() - pi * 25) < 5
    assert abs((pixels["b.jpg"] == 1).sum() - pi * 50) < 8
    assert balance.annotations_altered == {"cut at the picture's edge": 1}


def test_a_mask_lies_where_its_first_point_is(read):
    pixels = np.zeros((6, 9))
    pixels[1:5, 2:7] = 1
    drawn = shape("cat", [[20, 10], [28, 15]], "mask", mask=patch(pixels))
    out = shape("cat", [[-4.2, 37], [4, 42]], "mask", mask=patch(np.ones((6, 9))))
    rows, painted, _, _ = read(
        {"a.jpg": None, "a.json": sheet(drawn), "b.jpg": None, "b.json": sheet(out, image="b.jpg")}
    )
    assert rows == {"a.jpg": [(0, 22, 11, 27, 15)], "b.jpg": [(0, 0, 37, 5, 40)]}
    assert (painted["a.jpg"][11:15, 22:27] == 1).all()
    assert (painted["a.jpg"] == 1).sum() == 20
    assert (painted["b.jpg"] == 1).sum() == 15


def test_shapes_of_one_group_are_one_object(read):
    first, second = shape("cat", [[0, 0], [10, 10]], "rectangle", group_id=1), {**SQUARE, "group_id": 1}
    other, pixels = {**BAR, "group_id": 1}, patch(np.ones((2, 2)))
    dots = shape("cat", [[50, 20], [51, 21]], "mask", mask=pixels, group_id=2)
    line = shape("cat", [[40, 0], [60, 10]], "rectangle", group_id=2)
    rows, painted, balance, _ = read({"a.jpg": None, "a.json": sheet(first, second, other, dots, line)})
    assert sorted(rows["a.jpg"]) == [(0, 40, 30, 56.5, 34), (1, 0, 0, 30, 25), (1, 40, 0, 60, 22)]
    assert (painted["a.jpg"] == 2).sum() == 100 + 400 + 4 + 200
    assert balance.annotations_altered == {"joined with others of their group_id": 2}
    assert balance.annotations_used == 3


def test_points_and_lines_are_set_aside_and_ignored_regions_are_no_objects(read):
    shapes = [shape("nose", [[5, 5]], "point"), shape("edge", [[5, 5], [9, 9]], "line")]
    shapes += [
        shape("edge", [[5, 5], [9, 9], [9, 3]], "linestrip"),
        shape("_background_", [[0, 0], [9, 9]], "rectangle"),
    ]
    shapes += [
        shape("__ignore__", [[0, 30], [9, 40]], "rectangle"),
        {**SQUARE, "flags": {"occluded": True, "old": False}},
    ]
    rows, pixels, balance, survey = read({"a.jpg": None, "a.json": sheet(*shapes)})
    assert rows["a.jpg"] == [(0, 10, 5, 30, 25), (-2, 0, 30, 9, 40)]
    assert (pixels["a.jpg"] == 255).sum() == 90
    assert survey.specs[0].classes == ("cat",)
    assert balance.annotations_aside == {
        "a point, which has no area": 1,
        "a line, which has no area": 1,
        "a linestrip, which has no area": 1,
        "labelled _background_": 1,
        "a flag of a shape": 1,
    }
    assert balance.annotations.total() == balance.annotations_used + 5


def test_flags_of_images_are_classes_where_nothing_is_drawn_and_set_aside_where_something_is(read):
    files = {f"{name}.jpg": None for name in "abc"}
    for name, flags in {"a": {"__ignore__": False, "cat": True, "dog": False}, "b": {"cat": True, "dog": True}}.items():
        files[f"{name}.json"] = sheet(image=f"{name}.jpg", flags=flags)
    files["flags.txt"] = "__ignore__\ncat\ndog\n"
    _, _, balance, survey = read(files)
    assert [(s.name, s.kind, s.classes) for s in survey.specs] == [("classification", "multi_label", ("cat", "dog"))]
    counts = survey.splits["train"].counts["classification"]
    assert (counts.labelled, counts.classes.tolist()) == (2, [2, 1])
    assert not balance.lost
    _, _, balance, survey = read({**files, "c.json": sheet(SQUARE, image="c.jpg")})
    assert survey.specs[0].classes == ("cat",)
    assert balance.annotations_aside == {"a flag of an image, beside what is drawn": 5}


@pytest.mark.parametrize(
    ("json", "image", "named"),
    [
        ("a.json", "a.JPG", "a.JPG"),
        ("a.json", "a.jpg", "C:\\Users\\x\\b.jpg"),
        ("ann/a.json", "img/other.jpg", "..\\img\\other.jpg"),
        ("ann/a.json", "img/a.jpg", "a.jpg"),
        ("ann/1.json", "img/My Photo.png", "/home/x/my photo.png"),
        ("ann/a.JSON", "img/a.png", "a.jpg"),
        ("a.json", "a.jpg", ""),
    ],
)
def test_the_picture_is_found_where_it_is_whatever_the_file_says(read, json, image, named):
    rows, _, balance, _ = read({image: None, json: sheet(SQUARE, image=named)})
    assert rows == {image.rpartition("/")[2]: [(0, 10, 5, 30, 25)]}
    assert not balance.lost


def test_folders_of_splits_and_labels_txt_and_everything_beside_them(read, tmp_path):
    clutter(tmp_path)
    files = {"train/a.jpg": None, "train/a.json": sheet(SQUARE), "train/c.jpg": None}
    files |= {"Validation/b.JPG": None, "Validation/b.JSON": sheet(BAR, image="b.JPG")}
    files |= {"labels.txt": "__ignore__\n_background_\ndog\ncat\nbar\n", "more.json": '{"images": []}'}
    files |= {"train/a_json/img.png": None, "train/a_json/label.png": None, "train/a_json/label_names.txt": "cat"}
    rows, _, balance, survey = read(files, splits=["train", "validation", "test"])
    assert rows == {"a.jpg": [(1, 10, 5, 30, 25)], "b.JPG": [(2, 40, 30, 56.5, 34)], "c.jpg": []}
    assert survey.specs[0].classes == ("dog", "cat", "bar")
    assert {name: split.images for name, split in survey.splits.items()} == {"train": 2, "validation": 1}
    assert survey.splits["train"].counts["detection"].labelled == 1  # c.jpg has no JSON
    assert list(balance.lost) == ["more.json"]
    assert balance.files == sum(1 for file in tmp_path.rglob("*") if file.is_file())
    assert len(balance.aside["written by labelme of a JSON file, not read"]) == 3
    assert pipelines.load(str(tmp_path), (40, 60), 1, splits=["validation"]).sizes == {"validation": 1}


def test_a_folder_without_splits_is_divided(read):
    files = {f"{i}.jpg": None for i in range(30)} | {f"{i}.json": sheet(SQUARE, image=f"{i}.jpg") for i in range(30)}
    *_, survey = read(files, splits=["train", "validation", "test"])
    assert sum(split.images for split in survey.splits.values()) == 30


@pytest.mark.parametrize("size", [{"imageHeight": None, "imageWidth": None}, {"imageHeight": 40.0, "imageWidth": 60.0}])
def test_a_size_that_is_not_given_is_that_of_the_picture_as_it_is_shown(read, size, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.full((60, 40, 3), 90, np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    assert read({"a.json": sheet(BAR, **size)})[0]["a.jpg"] == [(0, 40, 30, 56.5, 34)]


def test_embedded_pixels_are_not_read_where_the_picture_is_there(read):
    content = sheet(SQUARE, imageData="this is no base64!")
    assert read({"a.jpg": None, "a.json": content})[0] == {"a.jpg": [(0, 10, 5, 30, 25)]}


def test_old_files_have_other_keys_in_another_order(read):
    old = {"imageData": "A" * 300000, "fillColor": [255, 0, 0, 128], "imagePath": "a.jpg"}
    old |= {"shapes": [{"label": "cat", "points": [[10, 5], [30, 5], [30, 25], [10, 25]], "line_color": None}]}
    old |= {"lineColor": "B" * 300000}
    assert read({"a.jpg": None, "a.json": json.dumps(old)})[0] == {"a.jpg": [(0, 10, 5, 30, 25)]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (shape("cat", [[1, 1], [5, 5]]), "polygon has 2 points, expected 3 or more"),
        (shape("cat", [[1, 1]], "circle"), "circle has 1 points, expected its centre and one on the rim"),
        (shape("cat", [[1, 1], [5, "x"]], "rectangle"), r"points have \[5, 'x'\], expected \[x, y\]"),
        (shape("cat", [[1, 1], [1, 5]], "rectangle"), "has no area"),
        (shape("cat", [[1, 1], [90, 5]], "rectangle"), "lies outside its image of 60 x 40"),
        (shape("cat", [[1, 1], [5, 5]], "triangle"), "shape_type is 'triangle', expected one of polygon, rectangle"),
        (shape("cat", [[1, 1], [5, 5]], "mask", mask="iVBORw0KGgoAAA"), "mask is no picture in base64"),
        (shape("cat", [[70, 1], [75, 5]], "mask", mask=patch(np.ones((2, 2)))), "mask has no pixel in the image"),
        (shape(3, [[1, 1], [5, 5]], "rectangle"), "label is 3, expected a name"),
        ("cat", "'cat' is no shape"),
    ],
)
def test_a_wrong_shape_stops_or_costs_itself_alone(read, tmp_path, wrong, message):
    rows, _, balance, survey = read({"a.jpg": None, "a.json": sheet(SQUARE, wrong)})
    assert rows["a.jpg"] == [(0, 10, 5, 30, 25)]
    assert len(survey.skipped) == 1
    assert (balance.annotations_used, balance.annotations_lost.total()) == (1, 1)
    with pytest.raises(pipelines.DataError, match=f"a.json': shape 2: .*{message}"):
        pipelines.load("labelme", path=tmp_path, splits=["train"])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"b.json": sheet(SQUARE)[:-30], "b.jpg": None}, "b.json' is not valid JSON, it may be cut off"),
        ({"b.json": sheet(SQUARE)[:-1] + ",}", "b.jpg": None}, r"line 1, column \d+: a trailing comma, before '}'"),
        ({"b.json": f'{{"shapes": {"1" * 5000}}}', "b.jpg": None}, "b.json' is not valid JSON: Exceeds the limit"),
        ({"b.json": "[1]", "b.jpg": None}, "b.json' is no JSON of labelme: it needs a list 'shapes'"),
        ({"b.json": sheet(image="gone.jpg")}, "b.json' has no picture: imagePath is 'gone.jpg', which is not there"),
        (
            {"b.json": sheet(image="gone.jpg", imageData="AA")},
            "its pixels are embedded as imageData; write them to that",
        ),
        ({"b.json": sheet(SQUARE), "b.jpg": None}, "both are of image '.*a.jpg'"),
        ({"b.json": sheet(image="b.jpg", imageHeight=50), "b.jpg": None}, "is 60 x 40, but .*b.json' gives"),
        ({"b.json": sheet(image="b.jpg", flags={"x": 1}), "b.jpg": None}, "flags are .*, expected names that are each"),
        (
            {"b.json": sheet(image="b.jpg", imageHeight=-1), "b.jpg": None},
            "imageHeight is -1 and imageWidth 60, expected",
        ),
    ],
)
def test_a_wrong_file_stops_or_is_skipped_and_told(read, tmp_path, files, message):
    *_, balance, survey = read({"a.jpg": None, "a.json": sheet(SQUARE), **files})
    assert len(survey.skipped) == 1
    assert "b.json" in balance.lost
    with pytest.raises(pipelines.DataError, match=message):
        pipelines.load("labelme", path=tmp_path, splits=["train"])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.jpg": None, "a.json": sheet()}, "but nothing is drawn or ticked in any"),
        ({"a.jpg": None, "a.json": sheet(shape("x", [[5, 5]], "point"))}, "no shape in it is an object of a class"),
        ({"a.jpg": None, "b.json": '{"images": []}'}, "has no JSON of labelme"),
    ],
)
def test_a_folder_without_anything_to_learn_is_told(tmp_path, files, message):
    with pytest.raises(pipelines.DataError, match=message):
        pipelines.load("labelme", path=put(tmp_path, **files), splits=["train"])


def test_a_folder_of_a_split_without_json_is_told(tmp_path):
    put(tmp_path, **{"train/a.jpg": None, "train/a.json": sheet(SQUARE), "val/b.jpg": None, "runs/train/c.jpg": None})
    with pytest.warns(UserWarning, match="Split 'validation' of .* has no labels: none of its 1 images has any"):
        data = pipelines.load(str(tmp_path), batch_size=1)
    assert data.sizes == {"train": 1, "validation": 1}
    assert data.accounts[0].balance().lost == {"runs/train/c.jpg": "no part of this layout"}
