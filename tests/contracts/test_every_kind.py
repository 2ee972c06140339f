"""Every kind of label through what batches, memory, class maps, packs and surveys ask of it."""

from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf

import pipelines
from pipelines import LabelSpec, kinds
from pipelines.pixels import geometry
from pipelines.samples.memory import Memory

SHAPE, ROWS, SIZE = (6, 8), 3, (12, 16)


def spec(name):
    """A spec of this kind, of two classes if it has any."""
    try:
        return LabelSpec("task", name, ("a", "b"))
    except pipelines.DataError:
        return LabelSpec("task", name)


@pytest.fixture(params=kinds.names())
def kind(request):
    return kinds.of(spec(request.param))


@pytest.fixture
def label(kind):
    """The label of an image without, which every kind can make."""
    return kind.unlabelled(tf.constant(SHAPE), ROWS)


def arrays(label):
    return tf.nest.map_structure(lambda x: x.numpy(), label)


def same(first, second):
    tf.nest.map_structure(lambda a, b: np.testing.assert_array_equal(a, b, strict=True), arrays(first), arrays(second))


def test_a_label_is_read_from_a_pack_as_it_was_written(kind, label):
    features = {f"task/{key}": value for key, value in kind.write(arrays(label)).items()}
    record = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    values = tf.io.parse_single_example(record, {f"task/{key}": value for key, value in kind.features().items()})
    values = {key.removeprefix("task/"): value for key, value in values.items()}
    same(kind.read(values, tf.constant(SHAPE), ROWS), label)


def test_a_label_comes_to_the_size_of_the_image_and_then_has_one_shape(kind, label):
    for turned in (False, True):
        placement = geometry.whole(tf.constant(SHAPE), SIZE, "letterbox")
        placed = kind.mirror(kind.place(label, placement, SIZE, turned), tf.constant(True))
        batch = tf.nest.map_structure(lambda x: tf.stack([x, x]), placed)
        twice = geometry.whole(tf.constant([SHAPE] * 2), SIZE, "letterbox")
        moved = kind.move(batch, twice, SIZE, cut=geometry.Cut(), turned=turned)
        assert tf.nest.map_structure(lambda x: x.shape, moved) == tf.nest.map_structure(lambda x: x.shape, batch)
        finished = kind.finish(moved, tf.constant([1.0, 2.0]))
        expected = kind.finish(tf.nest.map_structure(lambda x: x[None], kind.unlabelled(tf.constant(SIZE), ROWS)), None)
        same(tf.nest.map_structure(lambda x: x[1:], finished), expected)


def test_several_pictures_without_a_label_have_none_together(kind, label):
    assert kind.joins
    rows = {} if "" in kind.maps else tf.nest.map_structure(lambda x: tf.stack([x, x]), label)
    windows = tf.constant([[0, 0, 6, 4], [0, 4, 6, 4]])
    joined, weight = kind.join(rows, tf.zeros([2]), windows)
    assert float(weight) == 0.0
    if not kind.maps:
        assert tf.nest.map_structure(lambda x: x.shape, joined) == tf.nest.map_structure(lambda x: x.shape, label)


def test_all_of_a_label_is_kept_in_memory_and_comes_back(kind, label):
    def flat(x):
        return tf.TensorSpec([None, None, x.shape[-1]] if tuple(x.shape[:2]) == SHAPE else x.shape, x.dtype)

    image, weights = tf.zeros([*SHAPE, 3], tf.uint8), {"task": tf.constant(1.0)}
    sample = {"image": image, "labels": {"task": label}, "weights": weights}
    shapes = np.array([SHAPE] * 2, np.int32)
    memory = Memory(tf.nest.map_structure(flat, sample), [kind.spec], shapes, shapes)
    memory.allocate()
    for index in range(2):
        memory.put(index, arrays(sample))
    reader = memory.freeze(placed=False)
    batch = tf.nest.map_structure(lambda x: x[None], reader.read(tf.constant(1)))
    found = reader.complete(batch, tf.constant([1]))
    same(tf.nest.map_structure(lambda x: x[0], found["labels"]["task"]), label)


def test_a_label_is_sound_and_counted_for_every_class(kind, label):
    assert kind.is_wrong(arrays(label)) is False
    count = kind.count(arrays(label))
    assert count.classes.shape == (len(kind.classes),)
    assert count.sizes.shape == (0, 2)
    assert kind.rows(arrays(label)) == 0 if kind.has_objects else True


def test_without_a_class_that_is_known_nothing_is_labelled_or_all_is_ignored(kind, label):
    names = (None,) * len(kind.classes)
    changed, weight = kind.mapped(names)(label, tf.constant(0.0))
    assert float(weight) == 0
    assert tf.nest.map_structure(lambda x: (x.dtype, x.shape), changed) == tf.nest.map_structure(
        lambda x: (x.dtype, x.shape), label
    )


class KeyedMaps(kinds.get("segmentation")):
    """A number of an object for every pixel, and a class for each object, as masks of objects would have."""

    maps: ClassVar = {"ids": 0}

    def unlabelled(self, shape, rows):
        return {"ids": tf.ones([*SHAPE, 1], tf.int32), "classes": tf.range(rows)}


def test_some_tensors_of_a_label_can_be_maps_and_others_not(monkeypatch):
    monkeypatch.setattr(kinds, "_REGISTERED", {})
    kinds.register("keyed", KeyedMaps)
    kind = kinds.of(LabelSpec("task", "keyed", ("a",)))
    label = kind.unlabelled(SHAPE, ROWS)
    placed = kind.place(label, geometry.whole(tf.constant(SHAPE), SIZE, "letterbox"), SIZE, turned=False)
    assert (placed["ids"].shape, placed["classes"].shape) == ((*SIZE, 1), (ROWS,))
    test_all_of_a_label_is_kept_in_memory_and_comes_back(kind, label)
