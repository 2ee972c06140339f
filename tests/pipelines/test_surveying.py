"""What is counted in a data set, beside figures counted by hand."""

import shutil

import numpy as np
import pytest
from PIL import Image

import pipelines

SQUARE = (3, 10, 5, 20, 20)
BAR = (7, 40, 30, 16, 4)


@pytest.fixture
def surveyed(coco, tmp_path):
    """Two splits: four images of training, one of them truncated and one with a broken box; two of validation, one of
    which is a training image too."""
    crowd = (3, 0, 0, 40, 30, {"iscrowd": 1})
    train = coco(
        {
            "a.jpg": [SQUARE, BAR],
            "b.jpg": [(*SQUARE[:3], 10, 10), crowd],
            "c.jpg": [SQUARE],
            "d.jpg": [(3, 1, 1, 0, 0)],
        },
        at="data/train",
        masks=True,
    )
    val = coco({"v.jpg": [BAR], "w.jpg": [SQUARE, BAR]}, at="data/val")
    data = (train / "images/c.jpg").read_bytes()
    (train / "images/c.jpg").write_bytes(data[:-20])
    shutil.copy(train / "images/a.jpg", val / "images/w.jpg")
    return pipelines.survey("coco", tmp_path / "data")


def test_images_labels_and_objects_are_counted(surveyed):
    train, val = surveyed.splits["train"], surveyed.splits["validation"]
    assert (train.images, val.images) == (3, 2)
    assert train.shapes.tolist() == [[40, 60]] * 3
    assert train.counts["detection"].classes.tolist() == [2, 1]
    assert train.counts["detection"].ignored == 1
    assert train.counts["classification"].classes.tolist() == [2, 1]
    assert val.counts["detection"].classes.tolist() == [1, 2]
    boxes = train.counts["detection"]
    assert (boxes.most, val.counts["detection"].most) == (2, 2)
    assert sorted(map(tuple, boxes.sizes.tolist())) == [(10, 10), (16, 4), (20, 20)]


def test_pixels_are_counted_and_labels_that_lack_are_told(surveyed):
    train, val = surveyed.splits["train"].counts["segmentation"], surveyed.splits["validation"].counts["segmentation"]
    # a: 400 of the square, 64 of the bar; b: the crowd, painted by the fixture as a square of 40 x 30; d: nothing
    assert train.classes.tolist() == [3 * 2400 - 400 - 64 - 1200, 400 + 1200, 64]
    assert (train.labelled, train.ignored) == (3, 0)
    assert (val.labelled, val.classes.tolist()) == (0, [0, 0, 0])


def test_what_cannot_be_used_and_what_is_twice_is_listed(surveyed):
    (skipped,) = surveyed.skipped
    assert "c.jpg' is truncated or damaged" in skipped
    (account,) = surveyed.source.accounts
    assert account.balance().annotations_aside == {"a box without width or height": 1}
    (group,) = surveyed.duplicates
    assert [(split, name.rpartition("/")[2]) for split, name in group] == [("train", "a.jpg"), ("validation", "w.jpg")]
    assert [(pair.first, pair.second) for pair in surveyed.copies] == [(("train", 0), ("validation", 1))]


def test_a_picture_that_was_saved_again_is_near_in_the_other_split(coco, tmp_path):
    train, val = coco({"a.jpg": [SQUARE, BAR], "b.jpg": [BAR]}, at="data/train"), coco({"v.jpg": [BAR]}, at="data/val")
    scene = Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 12, 3), np.uint8)).resize((60, 40))
    scene.save(train / "images/a.jpg", quality=95)
    scene.save(val / "images/v.jpg", quality=50)
    near = pipelines.survey("coco", tmp_path / "data").near
    assert [(pair.first, pair.second) for pair in near.pairs] == [(("train", 0), ("validation", 0))]
    assert (near.images, near.within) == ({"train": 1, "validation": 1}, {"train": 0, "validation": 0})


@pytest.mark.slow
def test_examples_come_from_all_splits_and_show_where_a_label_lacks(surveyed):
    examples = list(surveyed.examples(3, (48, 48)))
    assert [example.split for example in examples] == ["train", "train", "validation"]
    assert all(example.image.shape == (48, 48, 3) for example in examples)
    assert [example.weights["segmentation"] for example in examples] == [1, 1, 0]
    first = examples[0].labels  # 60 x 40 becomes 48 x 32, 8 pixels from the top
    np.testing.assert_allclose(first["detection"]["boxes"][0, 0], [8, 12, 24, 28])
    assert (first["segmentation"][0, 13:27, 9:23] == 1).all()
    assert (first["segmentation"][0, :8] == 255).all()


def test_one_class_an_image_is_counted_by_images(picture, tmp_path):
    for name in ("train/cats/a.jpg", "train/dogs/b.jpg", "train/dogs/c.jpg"):
        picture(name)
    survey = pipelines.survey("folder", tmp_path / "data")
    assert survey.splits["train"].counts["classification"].classes.tolist() == [1, 2]
    assert len(survey.duplicates[0]) == 3


def test_objects_past_the_limit_are_noted_and_wrong_names_refused(coco, tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.surveying.MOST_BOXES", 2)
    coco({"a.jpg": [SQUARE, BAR, SQUARE]}, at="data/train")
    survey = pipelines.survey("coco", tmp_path / "data")
    assert "1 of 1 images have more objects than max_boxes=2" in survey.notes[0]
    with pytest.raises(pipelines.DataError, match="Unknown option of source 'coco' 'dvide'. Did you mean 'divide'"):
        pipelines.survey("coco", tmp_path / "data", dvide=True)
