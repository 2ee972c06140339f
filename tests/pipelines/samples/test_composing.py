"""Images of several pictures: that all of them moves together, and what their labels are."""

import numpy as np
import pytest
import tensorflow as tf
from cases import few

import pipelines
from pipelines import LabelSpec, kinds
from pipelines.kinds.spec import CROWD, IGNORE
from pipelines.samples import meeting

WAYS = {"mosaic": 1.0, "copy_paste": 1.0, "cut_mix": 1.0, "erase": 1.0}
MOVED = {"flip": 0.5, "scale": [0.6, 1.6], "leftovers": "ignore"}
ALL = {**MOVED, "colour": 0.2, **dict.fromkeys(WAYS, 0.5)}


@pytest.fixture
def folder(coco):
    """Ten pictures, each with a square and a bar at places of their own, and masks."""
    rows = {f"{i}.png": [(3, 2 + 3 * i, 4 + i, 20, 12), (7, 50 - 4 * i, 28, 9, 9)] for i in range(10)}
    return coco(rows, masks=True)


def epoch(data, batches=5):
    """The samples of one pass: images, labels and weights."""
    batches = list(data.train.take(batches).as_numpy_iterator())
    return tf.nest.map_structure(lambda *x: np.concatenate(x), *batches)


def load(folder, **options):
    given = {"image_size": (64, 96), "batch_size": 2, "splits": ["train"], **options}
    return pipelines.load("coco", path=folder, **given)


def same(one, other):
    tf.nest.map_structure(np.testing.assert_array_equal, one, other)


@pytest.mark.slow
@pytest.mark.parametrize("way", few(WAYS, keep=["copy_paste", "cut_mix", "erase"]))
def test_image_boxes_masks_and_presence_tell_the_same(folder, way):
    images, labels, weights = epoch(load(folder, augmentation={**MOVED, way: 1.0}))
    assert all((weight == 1).all() for weight in weights.values())
    objects = 0
    for image, mask, presence, boxes, classes in zip(
        images.astype(int),
        labels["segmentation"],
        labels["classification"],
        labels["detection"]["boxes"],
        labels["detection"]["classes"],
        strict=True,
    ):
        painted = image[..., 0] - image[..., 1] > 60
        inside = np.zeros(mask.shape, bool)
        assert ((painted != np.isin(mask, (1, 2))) & (mask != IGNORE)).mean() < 0.05  # edges, which are mixed
        for (x_min, y_min, x_max, y_max), name in zip(boxes.round().astype(int), classes, strict=True):
            window = slice(y_min, y_max), slice(x_min, x_max)
            inside[window] = True
            if name >= 0:
                objects += 1
                assert (mask[window] == name + 1).mean() > 0.2
        assert (np.isin(mask, (1, 2)) & ~inside).mean() < 0.03  # what is left of objects is ignored, but for slivers
        np.testing.assert_array_equal(presence, [name in classes for name in (0, 1)])
    assert objects > 10


@pytest.mark.slow
def test_what_lies_in_an_image_follows_from_seed_epoch_and_place_alone(folder, tmp_path):
    kept, files, packed = (load(folder, augmentation=ALL, cache=cache) for cache in (True, False, tmp_path / "packs"))
    first, second = epoch(kept), epoch(kept)
    same(first, epoch(files))
    same(first, epoch(packed))
    files.seek(1, 2)
    same(tf.nest.map_structure(lambda x: x[4:], second), epoch(files, 3))
    assert (first[0] != second[0]).any()


@pytest.mark.slow
def test_after_so_many_epochs_images_are_single_pictures(folder):
    options = {"flip": 0.5, "colour": 0.2}
    plain, composed = (load(folder, augmentation={**options, **more}) for more in ({}, {"copy_paste": 1.0, "until": 1}))
    pairs = [(epoch(plain), epoch(composed)) for _ in range(2)]
    assert (pairs[0][0][0] != pairs[0][1][0]).any()
    same(*pairs[1])


@pytest.mark.slow
def test_workers_compose_their_parts_of_the_batches_of_one(folder):
    whole = load(folder, augmentation=ALL)
    parts = [load(folder, augmentation=ALL, worker=(number, 2)) for number in range(2)]
    for one, *each in zip(whole.train, *(part.train for part in parts), strict=True):
        same(one, tf.nest.map_structure(lambda *x: tf.concat(x, axis=0), *each))


@pytest.mark.slow
def test_a_skipped_picture_is_ignored_in_the_images_of_others(folder, monkeypatch):
    monkeypatch.setattr(meeting, "AT_ONCE", 0)
    for number in range(8):
        broken = folder / "images" / f"{number}.png"
        broken.write_bytes(broken.read_bytes()[:-40])
    _, labels, weights = epoch(load(folder, augmentation={"mosaic": 1.0}, on_error="skip", cache=False))
    assert (weights["detection"] == 1).any()
    for mask, boxes, classes in zip(
        labels["segmentation"], labels["detection"]["boxes"], labels["detection"]["classes"], strict=True
    ):
        assert (classes == CROWD).sum() == (mask == IGNORE).reshape(4, -1).all(axis=1).sum() or (mask == IGNORE).any()
        for x_min, y_min, x_max, y_max in boxes[classes == CROWD].astype(int):
            assert (mask[y_min:y_max, x_min:x_max] == IGNORE).all()


def test_of_masks_alone_half_of_the_classes_are_pasted(folder):
    options = {"tasks": ["segmentation"], "shuffle": False}
    _, plain, _ = epoch(load(folder, **options))
    _, labels, _ = epoch(load(folder, augmentation={"copy_paste": 1.0}, **options))
    changed = [
        set(np.unique(after[after != before])) for before, after in zip(*map(masks, (plain, labels)), strict=True)
    ]
    assert any(changed)
    assert all(len(classes) <= 1 for classes in changed)


def masks(labels):
    return labels["segmentation"]


def test_without_masks_the_whole_box_is_pasted(folder):
    images, labels, _ = epoch(load(folder, tasks=["detection"], augmentation={"copy_paste": 1.0}))
    counts = (labels["detection"]["classes"] >= 0).sum(axis=1)
    assert (counts >= 2).any()
    assert (counts > 2).any()
    for image, boxes, classes in zip(images.astype(int), *labels["detection"].values(), strict=True):
        for x_min, y_min, x_max, y_max in boxes[classes >= 0].round().astype(int):
            assert (image[y_min:y_max, x_min:x_max, 0] > 200).mean() > 0.6


def joined(name, labels, weights, windows=None):
    kind = kinds.of(LabelSpec("task", name, ("a", "b")))
    windows = windows or [[0, 0, 10, 10]] * len(weights)
    given = (
        {key: tf.constant(value) for key, value in labels.items()} if isinstance(labels, dict) else tf.constant(labels)
    )
    label, weight = kind.join(given, tf.constant(weights), tf.constant(windows))
    return tf.nest.map_structure(lambda x: x.numpy().tolist(), label), float(weight)


def test_one_class_counts_where_all_pictures_have_it():
    assert joined("classification", [1, 1], [1.0, 1.0]) == (1, 1.0)
    assert joined("classification", [1, 0], [1.0, 1.0])[1] == 0.0
    assert joined("classification", [1, 1], [1.0, 0.0])[1] == 0.0


def test_a_class_is_there_if_any_picture_has_it_and_unknown_if_nobody_looked_in_one():
    assert joined("multi_label", [[1.0, 0.0], [0.0, 0.0]], [1.0, 1.0]) == ([1.0, 0.0], 1.0)
    assert joined("multi_label", [[1.0, 0.0], [0.0, 0.0]], [1.0, 0.0]) == ([1.0, -1.0], 1.0)
    assert joined("multi_label", [[0.0, 0.0], [1.0, 1.0]], [0.0, 0.0])[1] == 0.0


def test_of_too_many_objects_the_largest_stay_and_an_unlabelled_window_is_ignored():
    boxes = [[[0.0, 0, 2, 2], [0, 0, 5, 5]], [[0.0, 0, 3, 3], [0, 0, 4, 4]]]
    label, weight = joined("detection", {"boxes": boxes, "classes": [[0, 1], [0, 1]]}, [1.0, 1.0])
    assert (label["boxes"], label["classes"], weight) == ([[0, 0, 5, 5], [0, 0, 4, 4]], [1, 1], 1.0)
    given = {"boxes": [boxes[0]] * 2, "classes": [[0, -1], [1, 1]]}
    label, weight = joined("detection", given, [1.0, 0.0], [[0, 0, 6, 6], [1, 2, 3, 4]])
    assert (label["boxes"], label["classes"], weight) == ([[0, 0, 2, 2], [2, 1, 6, 4]], [0, CROWD], 1.0)


def test_without_boxes_and_masks_nothing_is_pasted_which_is_said(folder):
    with pytest.warns(UserWarning, match="copy_paste is set aside: .* 'classification' have no boxes or masks"):
        data = load(folder, augmentation={"copy_paste": 1.0}, tasks=["classification"])
    same(epoch(data), epoch(load(folder, tasks=["classification"])))


def test_what_cannot_be_joined_is_refused_in_a_sentence(folder, monkeypatch):
    monkeypatch.delattr(kinds.get("multi_label"), "join")
    with pytest.raises(pipelines.DataError, match="labels of kind 'multi_label' .task 'classification'. do not say"):
        load(folder, augmentation={"cut_mix": 0.5}, tasks=["classification"])
