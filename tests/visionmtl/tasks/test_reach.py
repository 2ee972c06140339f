"""Every object can be said: levels are made until a cell reaches both of its ends."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl import MultiTaskModel
from visionmtl.model import resizing
from visionmtl.tasks import Detection, boxes, cells

SIZES = [(128, 128), (288, 384), (384, 288), (416, 416), (448, 448), (480, 640), (832, 864), (1024, 1024), (32, 1024)]


def levels(size):
    own = ["P2", "P3", "P4", "P5"]
    return [*own, *(f"P{6 + i}" for i in range(cells.missing(own, size)))]


def objects(size):
    """Boxes from 8 pixels to the full frame, square, and four times as tall or wide, in the middle and the corners."""
    height, width = size
    made = {(width, height)}
    for side, (x, y) in itertools.product([8, 12, 20, 40, 90, 200, 300, 450, 600, 1024], [(1, 1), (4, 1), (1, 4)]):
        made.add((min(side * x, width), min(side * y, height)))
    made = {(w, h) for w, h in made if max(w, h) <= 8 * min(w, h) or (w, h) == (width, height)}
    places = [
        ((width - w) * x, (height - h) * y, w, h) for w, h in made for x, y in [(0, 0), (0.5, 0.5), (1, 0), (1, 1)]
    ]
    return np.array([(x, y, x + w, y + h) for x, y, w, h in places], "float32")


@pytest.mark.parametrize("size", SIZES)
def test_every_object_is_reached(size):
    names = levels(size)
    shapes = [tuple(-(-side // cells.stride(level)) for side in size) for level in names]
    centres, steps = boxes.points(shapes, [cells.stride(level) for level in names], size)
    truth = objects(size)
    farthest = (cells.BINS - 1) * steps[:, None]
    reached = tf.clip_by_value(boxes.to_distances(centres, tf.constant(truth)[:, None]), 0.0, farthest)
    best = tf.reduce_max(boxes.iou(boxes.from_distances(centres, reached), truth[:, None]), axis=1).numpy()
    assert best.min() >= 0.95, truth[best.argmin()]


def test_small_images_pay_nothing_and_each_doubling_takes_a_level_more():
    assert [levels(size)[-1] for size in SIZES] == ["P5", "P5", "P5", "P5", "P6", "P6", "P7", "P7", "P7"]


def test_levels_are_ordered_by_their_strides():
    assert cells.by_stride(["P10", "P2", "P9"]) == ["P2", "P9", "P10"]


def maps(size):
    return {f"P{i}": keras.Input((size[0] // 2**i, size[1] // 2**i, 4)) for i in (2, 3)}


def test_the_head_makes_levels_of_its_own_whose_boxes_fill_the_image():
    task, size = Detection("d", 2, channels=4, depth=1), (32, 160)
    features = maps(size)
    head = task.outputs(features)
    assert [level for level in ("P2", "P3", "P4", "P5") if f"{level}_scores" in head] == ["P2", "P3", "P4"]
    assert head["P4_scores"].shape == (None, 2, 10, 2)
    outputs = {key: np.full((1, *x.shape[1:]), -9, "float32") for key, x in head.items()}
    outputs["P4_scores"][0, 0, 4] = [9, -9]
    sides = outputs["P4_distances"][0, 0, 4].reshape(4, cells.BINS)
    for side, (near, share) in enumerate([(4, 0.5), (0, 0.5), (5, 0.5), (1, 0.5)]):  # 72, 8, 88 and 24 of 16 pixels
        sides[side, near], sides[side, near + 1] = np.log(share), np.log(1 - share)
    found = task.decode({key: tf.constant(x) for key, x in outputs.items()}, size)
    np.testing.assert_allclose(found["boxes"][0, 0], [0, 0, 160, 32], atol=0.1)
    labels = {"boxes": tf.constant([[[0.0, 0, 160, 32]]]), "classes": tf.constant([[0]])}
    assert float(task.loss(labels, {key: tf.constant(x) for key, x in outputs.items()})[0]) < 0.5


@pytest.mark.slow
def test_a_model_of_another_size_has_the_levels_and_the_weights_of_the_trained_one():
    keras.utils.set_random_seed(0)
    model = MultiTaskModel([Detection("objects", 2)], toys.backbone(size=128), (128, 128, 3), neck={"channels": 4})
    assert "objects_P4_scores" in model.output
    for size in ((64, 64), (256, 256)):
        other = resizing.resized(model, size)
        assert other.output.keys() == model.output.keys()
    again = MultiTaskModel([Detection("objects", 2)], toys.backbone(size=64), (64, 64, 3), neck={"channels": 4})
    assert "objects_P4_scores" not in again.output


def test_what_was_saved_without_a_word_of_levels_has_those_of_the_maps():
    config = Detection("d", 2).get_config()
    assert config.pop("extra_levels") is None
    old = Detection.from_config(config)
    assert {key[:2] for key in old.outputs(maps((128, 128)))} == {"P2", "P3"}
