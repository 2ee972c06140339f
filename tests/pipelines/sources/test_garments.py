"""The embedded scenes: right by construction, the same each time, and of garments that no two splits share."""

import numpy as np
import pytest

import pipelines
from pipelines.sources.garments import source

SMALL = {"train": 40, "validation": 6, "test": 6}


def load(**options):
    return pipelines.load("garments", **{"image_size": (64, 64), "batch_size": 4, **SMALL, **options})


def stacked(dataset):
    """All batches of a pass: images, labels, weights, each joined."""
    images, labels, weights = zip(*dataset.as_numpy_iterator(), strict=True)
    flat = {
        "classification": np.concatenate([x["classification"] for x in labels]),
        "boxes": np.concatenate([x["detection"]["boxes"] for x in labels]),
        "classes": np.concatenate([x["detection"]["classes"] for x in labels]),
        "segmentation": np.concatenate([x["segmentation"] for x in labels]),
    }
    return np.concatenate(images), flat, weights


@pytest.fixture(scope="module")
def scenes():
    return stacked(load(splits=["train"], train=120, image_size=(96, 128)).train)


@pytest.mark.slow
def test_tasks_classes_and_sizes_are_as_documented():
    data = load()
    assert data.sizes == SMALL
    assert [(s.name, s.kind, len(s.classes)) for s in data.specs] == [
        ("classification", "classification", 10),
        ("detection", "detection", 10),
        ("segmentation", "segmentation", 11),
    ]
    assert data.specs[2].classes == ("background", *data.specs[1].classes)
    assert data.train.element_spec[1]["classification"].dtype == "int32"


@pytest.mark.slow
def test_boxes_enclose_exactly_what_the_mask_shows_of_each_garment(scenes):
    _, labels, _ = scenes
    for mask, boxes, classes in zip(labels["segmentation"], labels["boxes"], labels["classes"], strict=True):
        there = classes[classes >= 0]
        assert sorted(there + 1) == sorted(set(mask.ravel()) - {0})
        for box, label in zip(boxes, there, strict=False):
            y, x = np.nonzero(mask == label + 1)
            assert box.tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]


def test_the_class_is_clearly_the_one_that_covers_most(scenes):
    _, labels, _ = scenes
    for mask, label in zip(labels["segmentation"], labels["classification"], strict=True):
        area = np.bincount(mask.ravel(), minlength=11)[1:]
        assert area.argmax() == label
        assert np.sort(area)[-2] <= 0.8 * area[label]


def test_scenes_hold_one_to_four_garments_of_all_classes(scenes):
    _, labels, _ = scenes
    counts = (labels["classes"] >= 0).sum(axis=1)
    assert set(counts) == {1, 2, 3, 4}
    assert set(labels["classification"]) == set(range(10))


def test_a_garment_looks_different_from_its_ground(scenes):
    images, labels, _ = scenes
    differences = [
        np.abs(image[mask > 0].mean(axis=0) - image[mask == 0].mean(axis=0)).max()
        for image, mask in zip(images, labels["segmentation"], strict=True)
    ]
    assert np.median(differences) > 20


@pytest.mark.slow
def test_scenes_follow_from_their_seed_alone():
    def images(**options):
        return stacked(load(splits=["train"], train=8, shuffle=False, **options).train)[0]

    np.testing.assert_array_equal(images(), images(seed=5, cache=False))
    assert not np.array_equal(images(), images(scene_seed=1))
    np.testing.assert_array_equal(images(), stacked(load(splits=["train"], shuffle=False).train)[0][:8])


@pytest.mark.slow
def test_splits_differ_and_share_no_garment():
    with np.load(source.DATA) as data:
        packed = {name: {image.tobytes() for image in data[f"{name}_images"]} for name in SMALL}
        counts = {name: np.bincount(data[f"{name}_labels"]).tolist() for name in SMALL}
    assert not packed["train"] & packed["validation"]
    assert not packed["train"] & packed["test"]
    assert not packed["validation"] & packed["test"]
    assert counts == {"train": [130] * 10, "validation": [25] * 10, "test": [25] * 10}
    data = load()
    assert not np.array_equal(stacked(data.validation)[0], stacked(data.test)[0])


@pytest.mark.parametrize("size", [(32, 32), (50, 180), (160, 96)])
def test_any_size_works(size):
    images, labels, _ = stacked(load(image_size=size, splits=["test"]).test)
    assert images.shape[1:] == (*size, 3)
    assert (labels["classes"][:, 0] >= 0).all()


@pytest.mark.slow
def test_after_a_crop_the_class_is_again_the_one_that_covers_most():
    _, labels, _ = stacked(load(splits=["train"], augmentation={"scale": [1.5, 2.5], "flip": True}).train)
    for mask, label in zip(labels["segmentation"], labels["classification"], strict=True):
        area = np.bincount(mask[mask < 255].ravel(), minlength=11)[1:]
        assert area[label] == area.max()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": 0}, "Option train of source 'garments' is 0"),
        ({"path": "."}, "is embedded and takes no path"),
        ({"max_boxes": 3}, "needs max_boxes of 4 or more"),
        ({"tasks": ["depth"]}, "Task 'depth' has no labels"),
        ({"scenes_seed": 1}, "Unknown option of source 'garments' 'scenes_seed'. Did you mean 'scene_seed'"),
    ],
)
def test_a_wrong_option_is_told_in_one_sentence(options, message):
    with pytest.raises(pipelines.DataError, match=message):
        load(**options)
