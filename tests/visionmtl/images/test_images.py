"""Pictures enter the network and come back to their own pixels."""

import numpy as np
import pytest
import tensorflow as tf

from pipelines.pixels.rules import RESIZES
from visionmtl import images
from visionmtl.errors import UsageError


def _picture(height, width, boxed):
    """A black picture with a white rectangle."""
    picture = np.zeros((height, width, 3), "uint8")
    x0, y0, x1, y1 = boxed
    picture[y0:y1, x0:x1] = 255
    return picture


def test_stretch_fills_the_input():
    fitted, window = images.fit(_picture(50, 100, (0, 0, 100, 50)), (64, 96))
    assert fitted.shape == (64, 96, 3)
    assert window.numpy().tolist() == [0, 0, 1, 1]
    assert tf.reduce_min(fitted) == 255


def test_letterbox_keeps_proportions_and_surrounds_with_grey():
    fitted, window = images.fit(_picture(50, 100, (0, 0, 100, 50)), (64, 64), "letterbox")
    assert window.numpy().tolist() == [0.25, 0, 0.75, 1]
    assert (fitted[:16] == images.GREY).numpy().all()
    assert (fitted[48:] == images.GREY).numpy().all()
    assert (fitted[16:48] == 255).numpy().all()


@pytest.mark.parametrize("resize", RESIZES)
def test_boxes_and_maps_come_back_to_the_pixels_of_the_picture(resize):
    boxed = (40, 30, 120, 90)
    picture = _picture(150, 200, boxed)
    fitted, window = images.fit(picture, (96, 64), resize)
    y0, x0, y1, x1 = window.numpy() * [96, 64, 96, 64]
    scale_x, scale_y = (x1 - x0) / 200, (y1 - y0) / 150
    inside = [boxed[0] * scale_x + x0, boxed[1] * scale_y + y0, boxed[2] * scale_x + x0, boxed[3] * scale_y + y0]
    back = images.map_boxes(tf.constant([inside], tf.float32), (96, 64), (150, 200), window)
    np.testing.assert_allclose(back[0], boxed, atol=1e-3)

    restored = images.crop_resize(fitted[None], (150, 200), window)[0].numpy()
    wrong = (restored[..., 0] > 127) != (picture[..., 0] > 127)
    edge = 2 / min(scale_x, scale_y)  # the input is coarser than the picture
    assert wrong.sum() < edge * 2 * (80 + 60) / 2


def test_crop_resize_of_the_whole_window_is_a_resize():
    maps = tf.random.stateless_uniform((2, 5, 7, 3), (1, 2))
    np.testing.assert_allclose(
        images.crop_resize(maps, (20, 21), tf.constant(images.WHOLE)), images.crop_resize(maps, (20, 21)), atol=1e-5
    )


def test_boxes_are_clipped_to_the_picture():
    back = images.map_boxes(tf.constant([[-5.0, -5.0, 200.0, 20.0]]), (100, 100), (50, 50))
    assert back.numpy().tolist() == [[0, 0, 50, 10]]


@pytest.mark.parametrize("resize", RESIZES)
def test_plain_operations_resize_as_kernels_do(resize):
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (2, 51, 37, 3)).astype("uint8")
    logits = random.normal(size=(1, 16, 24, 3)).astype("float32")

    def made():
        fitted, window = images.fit(picture, (32, 48), resize)
        size, window = tf.constant((45, 31)), None if resize == "stretch" else window
        return fitted, images.crop_resize(logits, size, window), images.class_map(logits, size, window)

    with images.plainly():
        plain = tf.function(made).get_concrete_function()
    kinds = {each.type for each in plain.graph.get_operations()}
    assert not kinds & {"ScaleAndTranslate", "ResizeBilinear", "While", "If"}
    for ours, kernel in zip(plain(), made(), strict=True):
        np.testing.assert_allclose(ours, kernel, atol=1e-5)


@pytest.mark.parametrize("window", [None, (0.1, 0.2, 0.9, 0.7)])
def test_a_class_map_made_class_by_class_is_the_same(window):
    logits = tf.round(tf.random.stateless_normal((2, 12, 16, 5), seed=(1, 2)) * 2)  # so that some tie
    size = tf.constant((45, 31))
    with images.plainly(sparing=True):
        sparing = tf.function(lambda: images.class_map(logits, size, window)).get_concrete_function()
    assert "ArgMax" not in {each.type for each in sparing.graph.get_operations()}
    with images.plainly():
        np.testing.assert_array_equal(sparing(), images.class_map(logits, size, window))
    np.testing.assert_array_equal(
        sparing()[:, 0, 0], tf.argmax(images.crop_resize(logits, (45, 31), window)[:, 0, 0], -1)
    )


def test_an_unknown_resize_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'letterbox'"):
        images.fit(np.zeros((4, 4, 3)), (8, 8), "leterbox")


WINDOWS = [(0.1, 0.0, 0.9, 1.0), (0.0, 0.15, 1.0, 0.85), (0.1, 0.2, 0.9, 0.7), images.WHOLE]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("size", [(97, 31), (5, 8)])
def test_a_window_is_resized_as_the_kernel_for_windows_does(window, size):
    maps, corners = tf.random.stateless_normal((2, 12, 16, 3), seed=(1, 2)), np.array(window, "float32")
    scale = np.array(size) / ((corners[2:] - corners[:2]) * (12, 16))
    kernel = tf.raw_ops.ScaleAndTranslate(
        images=maps,
        size=size,
        scale=scale.astype("float32"),
        translation=(-corners[:2] * (12, 16) * scale).astype("float32"),
        kernel_type="triangle",
        antialias=False,
    )
    np.testing.assert_allclose(images.crop_resize(maps, size, window), kernel, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("window", [None, *WINDOWS])
@pytest.mark.parametrize("size", [(97, 31), (5, 8)])
def test_a_class_map_made_in_bands_is_that_made_at_once(window, size):
    several = tf.random.stateless_normal((2, 12, 16, 3), seed=(1, 2))
    for logits in (several, several[:1]):
        whole = tf.argmax(images.crop_resize(logits, size, window), axis=-1)
        for given in (size, tf.constant(size)):
            for most in (1 << 30, 4096, 1):
                made = images.class_map(logits, given, window, most)
                assert made.dtype == tf.int32
                np.testing.assert_array_equal(made, whole)


@pytest.mark.parametrize("most", [1 << 30, 1])
def test_a_class_map_of_a_known_size_says_so_in_graph_however_it_is_made(most):
    shapes = []

    @tf.function(input_signature=[tf.TensorSpec((None, 12, 16, 3))])
    def made(logits):
        classes = images.class_map(logits, (97, 31), most=most)
        shapes.append(classes.shape[1:])
        return classes

    made(tf.zeros((2, 12, 16, 3)))
    assert shapes == [(97, 31)]
