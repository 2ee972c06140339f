"""Depth as a label: placed with the pixels, unknown beyond the picture, divided by the zoom, kept in memory."""

import numpy as np
import pytest
import tensorflow as tf

import pipelines
from pipelines import sources
from pipelines.contract import Source, Split
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.base import Format

SHAPES = [(40, 60), (30, 30), (40, 60), (24, 50)]


def picture(shape):
    """A red ramp from left to right, and a depth of a metre more at every level of red; the first row is unknown."""
    red = np.tile(np.arange(shape[1], dtype=np.uint8) * 2 + 20, (shape[0], 1))
    metres = red.astype(np.float32)
    metres[0] = np.nan
    return np.stack([red, red, red], -1), metres[..., None]


@pytest.fixture
def load(monkeypatch):
    """A function that loads a made-up source of four pictures with depth, in order and one a batch."""
    pairs = [picture(shape) for shape in SHAPES]

    def ramps(self, request):
        images, metres = (tf.ragged.constant([p[k].tolist() for p in pairs]) for k in (0, 1))

        def read(index):
            image = tf.cast(images[index].to_tensor(), tf.uint8)
            label = tf.ensure_shape(tf.cast(metres[index].to_tensor(), tf.float32), [None, None, 1])
            return {
                "image": tf.ensure_shape(image, [None, None, 3]),
                "labels": {"depth": label},
                "weights": {"depth": tf.constant(1.0)},
            }

        return Source((LabelSpec("depth", "depth"),), {"train": Split(np.array(SHAPES, np.int32), read)})

    monkeypatch.setitem(sources.SOURCES, "ramps", type("Ramps", (Format,), {"read": ramps}))

    def load(**options):
        options = {"image_size": (40, 60), "batch_size": 1, "shuffle": False, "splits": ["train"], **options}
        return pipelines.load("ramps", **options)

    return load


def test_a_depth_has_no_classes_and_the_rest_have():
    assert LabelSpec("depth", "depth").classes == ()
    with pytest.raises(pipelines.DataError, match="has no classes"):
        LabelSpec("depth", "depth", ("near",))
    with pytest.raises(pipelines.DataError, match="needs class names"):
        LabelSpec("mask", "segmentation")


@pytest.mark.slow
@pytest.mark.parametrize("cache", [True, False])
def test_depth_arrives_as_it_was_and_unknown_stays_unknown(load, cache):
    data = load(cache=cache, specs=[LabelSpec("depth", "depth")])
    _, labels, weights = next(data.train.as_numpy_iterator())
    assert (labels["depth"].dtype, labels["depth"].shape) == (np.float32, (1, 40, 60))
    np.testing.assert_array_equal(labels["depth"][0], picture((40, 60))[1][..., 0])
    assert weights["depth"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("cache", [True, False])
def test_depth_moves_with_its_picture_and_is_unknown_around_it(load, cache):
    data = load(cache=cache, resize="letterbox", augmentation={"flip": 0.5}, image_size=(64, 64))
    for images, labels, _ in data.train.as_numpy_iterator():
        metres, red = labels["depth"][0], images[0, ..., 0].astype(float)
        inside = metres > 0
        assert inside.any()
        assert np.abs(metres - red)[inside].max() <= 2.5  # bilinear against nearest
        outside = (metres == 0) & ~np.isnan(metres)
        assert ((red == 114) | ~outside).all()


@pytest.mark.slow
def test_what_is_seen_larger_is_nearer_by_as_much(load):
    data = load(augmentation={"scale": [2.0, 2.0]})
    for images, labels, _ in data.train.as_numpy_iterator():
        metres, red = labels["depth"][0], images[0, ..., 0].astype(float)
        assert np.abs(2 * metres - red)[metres > 0].max() <= 2.5


@pytest.mark.slow
def test_in_a_mosaic_each_picture_is_nearer_by_its_own_zoom(load):
    zooms = []
    for images, labels, _ in load(augmentation={"scale": [2.0, 2.0], "mosaic": 1.0}).train.as_numpy_iterator():
        metres, red = labels["depth"][0], images[0, ..., 0].astype(float)
        for corner in (np.s_[1:9, :8], np.s_[1:9, -8:], np.s_[-8:, :8], np.s_[-8:, -8:]):
            ratios = red[corner] / metres[corner]
            assert np.nanmax(ratios) - np.nanmin(ratios) < 0.2
            zooms.append(np.nanmean(ratios))
    assert 0.9 < min(zooms) < 1.5 < max(zooms) < 2.1


@pytest.mark.slow
def test_batches_of_depth_are_the_same_from_memory_and_from_the_source(load):
    augmentation = {"flip": True, "scale": [0.6, 1.6], "colour": 0.2}
    kept, read = (load(cache=cache, augmentation=augmentation, batch_size=2) for cache in (True, False))
    for first, second in zip(kept.train, read.train, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, first, second)
