"""Pixels, masks and boxes go to the same place."""

import numpy as np
import pytest
import tensorflow as tf

from pipelines.kinds.boxes import place_boxes
from pipelines.pixels import geometry
from pipelines.pixels.geometry import Placement


def place(shape, size, resize="stretch"):
    return geometry.whole(tf.constant([shape]), size, resize)


def one(placement):
    return Placement(*(part[0] for part in placement))


def ramp(height, width):
    """A picture whose first two channels are twice the coordinates of the pixels."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([2 * x, 2 * y, 0 * x], axis=-1).astype(np.uint8)


def test_stretch_fills_the_image_and_letterbox_keeps_the_proportions():
    assert place((30, 60), (40, 50)).target.numpy().tolist() == [[0, 0, 40, 50]]
    assert place((30, 60), (40, 50), "letterbox").target.numpy().tolist() == [[7, 0, 25, 50]]
    assert place((60, 30), (40, 50), "letterbox").target.numpy().tolist() == [[0, 15, 40, 20]]
    assert place((1, 1000), (40, 50), "letterbox").target.numpy().tolist() == [[19, 0, 1, 50]]


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.3, 2.5])
@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
@pytest.mark.parametrize("position", [(0.0, 0.0), (0.3, 0.9), (1.0, 1.0)])
def test_a_zoom_crops_what_outgrows_the_image_and_pads_the_rest(factor, resize, position):
    size, shape = (48, 64), (90, 200)
    base = one(place(shape, size, resize))
    placed = geometry.zoom(base, size, tf.constant(factor), tf.constant(position))
    (y, x, h, w), (ty, tx, th, tw) = placed.source.numpy(), placed.target.numpy()
    assert y >= 0
    assert x >= 0
    assert y + h <= shape[0]
    assert x + w <= shape[1]
    assert ty >= 0
    assert tx >= 0
    assert ty + th <= size[0]
    assert tx + tw <= size[1]
    before = base.target.numpy()[2:] / base.source.numpy()[2:]
    np.testing.assert_allclose([th / h, tw / w], before * factor, rtol=0.04)
    assert h == shape[0] or th == size[0]


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.7])
def test_pixels_land_where_the_boxes_say_to_half_a_pixel(factor):
    size, shape = (48, 64), (90, 100)
    placed = geometry.zoom(one(place(shape, size)), size, tf.constant(factor), tf.constant([0.4, 0.7]))
    ty, tx, th, tw = placed.target.numpy()
    inner = slice(ty, ty + th), slice(tx, tx + tw)
    sampled = geometry.sample_image(tf.constant(ramp(*shape)), placed, size).numpy()[inner] / 2.0 + 0.5
    nearest = [geometry.sample_map(tf.constant(ramp(*shape)[..., k, None]), placed, size, 255) for k in (0, 1)]
    nearest = tf.concat(nearest, axis=-1).numpy()[inner] / 2.0 + 0.5
    y, x = np.mgrid[ty : ty + th, tx : tx + tw] + 0.5
    centres = np.stack([sampled[..., 0], sampled[..., 1]] * 2, axis=-1).reshape(1, -1, 4).astype(np.float32)
    batch = Placement(*(part[None] for part in placed))
    boxes, _ = place_boxes(tf.constant(centres), tf.zeros([1, centres.shape[1]], tf.int32), batch, size)
    inside = slice(1, -1)  # the outermost pixels have no neighbour to interpolate with
    step = 0.26 * max(th / placed.source[2], tw / placed.source[3])  # a level of the ramp is half a pixel
    np.testing.assert_allclose(boxes[0, :, 0].numpy().reshape(th, tw)[inside, inside], x[inside, inside], atol=step)
    np.testing.assert_allclose(boxes[0, :, 1].numpy().reshape(th, tw)[inside, inside], y[inside, inside], atol=step)
    assert np.abs(nearest - sampled[..., :2]).max() <= 0.5 + 0.26


def test_flipped_boxes_are_mirrored():
    placed = place((40, 60), (40, 60))._replace(flip=tf.constant([True]))
    boxes, _ = place_boxes(tf.constant([[[10.0, 5.0, 30.0, 25.0]]]), tf.zeros([1, 1], tf.int32), placed, (40, 60))
    assert boxes.numpy().tolist() == [[[30.0, 5.0, 50.0, 25.0]]]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_and_masks_are_mirrored_if_told(channels):
    picture = tf.constant(np.random.default_rng(0).integers(0, 256, (4, 6, channels)), tf.uint8)
    np.testing.assert_array_equal(geometry.mirror(picture, tf.constant(True)), picture[:, ::-1])
    np.testing.assert_array_equal(geometry.mirror(picture, tf.constant(False)), picture)


def test_cut_objects_are_clipped_and_slivers_dropped_and_the_rest_moves_up():
    window, flip = tf.constant([[10, 20, 20, 30]]), tf.constant([False])
    placed = Placement(window, tf.constant([[0, 0, 40, 60]]), flip, tf.zeros([1]))  # twice as large
    boxes = [[0, 10, 24, 30], [18, 8, 30, 20], [25, 15, 25.9, 25], [0, 0, 5, 5], [0, 0, 24, 14], [0, 0, 0, 0]]
    classes = [0, 1, 2, 3, -2, -1]
    placed_boxes, placed_classes = place_boxes(
        tf.constant([boxes], tf.float32), tf.constant([classes]), placed, (40, 60), cut=geometry.Cut()
    )
    assert placed_classes.numpy().tolist() == [[1, -2, -1, -1, -1, -1]]
    assert placed_boxes[0, 0].numpy().tolist() == [0.0, 0.0, 20.0, 20.0]
    assert placed_boxes[0, 1].numpy().tolist() == [0.0, 0.0, 8.0, 8.0]
    assert not placed_boxes[0, 2:].numpy().any()


def test_without_cutting_nothing_is_dropped():
    placed = place((400, 600), (40, 60))
    boxes, classes = place_boxes(tf.constant([[[0.0, 0.0, 5.0, 5.0]]]), tf.zeros([1, 1], tf.int32), placed, (40, 60))
    np.testing.assert_allclose(boxes, [[[0.0, 0.0, 0.5, 0.5]]], rtol=1e-6)
    assert classes.numpy().tolist() == [[0]]
