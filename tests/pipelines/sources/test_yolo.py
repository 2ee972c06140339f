"""YOLO folders: data.yaml, text files of boxes and polygons, and what is said of broken ones."""

import numpy as np
import pytest

import pipelines

SQUARE = "0 0.3333333 0.375 0.3333333 0.5"  # 10, 5, 30, 25 of 60 x 40
POLYGON = "1 0.5 0.25 1 0.25 1 0.75 0.5 0.75"  # 30, 10, 60, 30


@pytest.fixture
def yolo(tmp_path, picture):
    """A function that writes images with the lines of their labels (None: no file), and data.yaml."""

    def write(lines, settings="names: [cat, dog]\n", images="images"):
        for stem, text in lines.items():
            image = picture(f"{images}/{stem}.jpg")
            path = image.parent.parent / "labels" / f"{stem}.txt" if images.endswith("images") else None
            path = path or tmp_path / "data" / images.replace("images", "labels") / f"{stem}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_text(text)
        (tmp_path / "data" / "data.yaml").write_text(settings)

    return write


def test_boxes_are_fractions_of_the_image_and_no_file_means_no_object(yolo, ask, sample):
    yolo({"a": f"{SQUARE}\n\n1 0.5 0.5 0.2 0.1\n", "b": None, "c": ""})
    source, _ = ask("yolo")
    assert [(s.name, s.kind, s.classes) for s in source.specs] == [
        ("classification", "multi_label", ("cat", "dog")),
        ("detection", "detection", ("cat", "dog")),
    ]
    labels, weights = sample(source)
    np.testing.assert_allclose(labels["detection"], [(0, 10, 5, 30, 25), (1, 24, 18, 36, 22)], atol=1e-4)
    assert labels["classification"].tolist() == [1, 1]
    for index in (1, 2):
        labels, weights = sample(source, index=index)
        assert (labels["detection"], labels["classification"].tolist()) == ([], [0, 0])
        assert weights == {"classification": 1, "detection": 1}


def test_polygons_are_boxes_and_masks_and_a_mere_box_has_no_mask(yolo, ask, sample):
    yolo({"a": POLYGON, "b": SQUARE, "c": None})
    source, _ = ask("yolo")
    assert source.specs[2].classes == ("background", "cat", "dog")
    labels, _ = sample(source)
    assert labels["detection"] == [(1, 30, 10, 60, 30)]
    expected = np.zeros((40, 60))
    expected[10:30, 30:60] = 2
    np.testing.assert_array_equal(labels["segmentation"][..., 0], expected)
    assert [sample(source, index=i)[1]["segmentation"] for i in range(3)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("settings", "images"),
    [
        ("train: images/train\nval: [images/val]\n", "images/{}"),
        ("train: ../train/images\nval: ../valid/images\n", "{}/images"),
        ("path: /elsewhere\n", "images/{}"),
        ("path: ../data\n", "{}/images"),
    ],
)
def test_splits_are_where_data_yaml_says_or_where_they_are(yolo, ask, names, settings, images):
    settings = f"{settings}names: {{0: cat, 1: dog}}\nnc: 2\n"
    yolo({"a": SQUARE, "b": SQUARE}, settings, images.format("train"))
    yolo({"c": SQUARE}, settings, images.format("valid" if "valid" in settings else "val"))
    source, _ = ask("yolo", splits=("train", "validation", "test"))
    assert (names(source), names(source, "validation")) == (["a.jpg", "b.jpg"], ["c.jpg"])


def test_a_text_file_may_list_the_images(yolo, ask, names, tmp_path):
    yolo({"a b": SQUARE, "b": SQUARE}, "train: train.txt\nnames: [cat]\n")
    (tmp_path / "data" / "train.txt").write_text("./images/a b.jpg\n\n")
    assert names(ask("yolo")[0]) == ["a b.jpg"]
    (tmp_path / "data" / "train.txt").write_text("images/a b.jpg\nimages/a b.jpg\n../b.jpg\n")
    with pytest.raises(pipelines.DataError, match=r"train.txt': line 2: image 'images/a b.jpg' is given twice"):
        ask("yolo")
    source, skipped = ask("yolo", on_error="skip")
    assert (names(source), len(skipped)) == (["a b.jpg"], 2)
    assert "line 3: image '../b.jpg' leads out" in skipped[1]
    yolo({"ä b": SQUARE}, "train: train.txt\nnames: [cat]\n")
    (tmp_path / "data" / "train.txt").write_bytes("images/ä b.jpg".encode("latin-1"))
    with pytest.warns(UserWarning, match=r"train.txt' is no text in UTF-8: it is read as Latin-1"):
        assert names(ask("yolo")[0]) == ["ä b.jpg"]


def test_images_without_splits_are_divided(yolo, ask, names):
    yolo({f"ö {i}": SQUARE for i in range(30)})
    source, _ = ask("yolo", splits=("train", "validation", "test"))
    assert sum(len(names(source, split)) for split in source.splits) == 30
    assert len(names(ask("yolo", splits=("validation",))[0], "validation")) == 30


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 nan 0.5 0.1 0.1", r"line 2: box .* is not finite"),
        ("0 0.5 0.5 -0.1 0.1", r"line 2: box .* has no area"),
        ("0 0.95 0.5 0.2 0.1", r"line 2: box \(51, 18, 63, 22\) lies outside its image of 60 x 40 \('a.jpg'\)"),
        ("0 31 20 10 8", r"line 2: box .* lies outside its image"),
        ("2 0.5 0.5 0.1 0.1", r"line 2: class 2 is unknown: expected 0 to 1"),
        ("0.5 0.5 0.5 0.1 0.1", r"line 2: class 0.5 is unknown"),
        ("cat 0.5 0.5 0.1 0.1", r"line 2: 'cat 0.5 0.5 0.1 0.1' is not all numbers"),
        ("0 0.5 0.5 0.1", r"line 2: it has 4 numbers: expected class, x, y, width, height, or class and a polygon"),
        ("0 0.5 0.5 0.1 0.1 0.9", r"line 2: it has 6 numbers"),
        ("0 0.1 0.1 0.2 0.1 nan 0.2", r"line 2: its polygon is not finite"),
    ],
)
def test_a_broken_line_is_told_with_its_number_or_skipped_alone(yolo, ask, sample, line, message):
    yolo({"a": f"{SQUARE}\n{line}\n"})
    with pytest.raises(pipelines.DataError, match="labels/a.txt': " + message):
        ask("yolo")
    source, skipped = ask("yolo", on_error="skip")
    assert len(skipped) == 1
    assert len(sample(source)[0]["detection"]) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("names: [cat", r"data.yaml' is not valid YAML"),
        ("- names", r"data.yaml' must have keys"),
        ("nc: 2", r"data.yaml': names is None, expected a list of class names"),
        ("names: [cat, cat]", r"data.yaml': names is .*all different"),
        ("names: {0: cat, 2: dog}", r"data.yaml': names: the ids must be 0 to 1"),
        ("names: [cat, dog]\nnc: 3", r"data.yaml': nc is 3, but there are 2 names"),
        ("names: [cat, dog]\ntrain: photos", r"data.yaml': train is 'photos', which is missing"),
        ("names: [cat, dog]\ntrain: images/../../other", r"data.yaml': train is .* which leads out of the folder"),
        ("names: [cat, dog]\ntrain: /etc", r"data.yaml': train is '/etc', which leads out of the folder"),
        ("names: [cat, dog]\ntrain: 3", r"data.yaml': train is 3, expected a folder"),
        ("names: [cat, dog]\nval: images", r"has no split 'train'; it has: validation"),
    ],
)
def test_a_broken_data_yaml_is_told_with_its_key(yolo, ask, settings, message):
    yolo({"a": SQUARE}, settings)
    with pytest.raises(pipelines.DataError, match=message):
        ask("yolo")


def test_labels_without_an_image_are_told(yolo, ask, names, tmp_path):
    yolo({"a": SQUARE})
    (tmp_path / "data" / "labels" / "classes.txt").write_text("cat")
    assert names(ask("yolo")[0]) == ["a.jpg"]
    (tmp_path / "data" / "labels" / "b.txt").write_text(SQUARE)
    with pytest.raises(pipelines.DataError, match=r"labels/b.txt' has no image of its name in '.*images'"):
        ask("yolo")
    assert len(ask("yolo", on_error="skip")[1]) == 1


def test_a_folder_without_data_yaml_or_labels_is_refused(yolo, ask, tmp_path):
    yolo({"a": None})
    with pytest.raises(pipelines.DataError, match="has no labels: expected labels"):
        ask("yolo")
    (tmp_path / "data" / "data.yaml").unlink()
    with pytest.raises(pipelines.DataError, match="is no YOLO data set: expected data.yaml"):
        ask("yolo")


def test_lists_and_labels_may_have_a_mark_and_another_encoding(yolo, ask, sample, tmp_path):
    yolo({"a": SQUARE, "b": SQUARE, "c": None})
    for name, text in {"train.txt": "images/a.jpg\n", "val.txt": "images/b.jpg\n", "labels/a.txt": SQUARE}.items():
        (tmp_path / "data" / name).write_text(text, encoding="utf-16")
    assert pipelines.recognise(tmp_path / "data") == "yolo"
    source, _ = ask("yolo", splits=("train", "validation"))
    assert {name: len(split.shapes) for name, split in source.splits.items()} == {"train": 1, "validation": 1}
    np.testing.assert_allclose(sample(source)[0]["detection"], [(0, 10, 5, 30, 25)], atol=1e-4)
