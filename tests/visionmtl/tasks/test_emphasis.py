"""Pixels of a mask that count more than others in the cross-entropy."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.errors import UsageError
from visionmtl.tasks import Segmentation, emphasis


def _mask(*columns, height=8):
    """A mask of one image whose columns, each 2 pixels wide, show these classes."""
    return tf.constant(np.tile(np.repeat(columns, 2), (1, height, 1)).astype("int32"))


def _entropy(*columns, logits, **options):
    """The loss of an image of such columns, without Dice, where each column has its own logits."""
    raw = np.tile(np.asarray(logits, "float32"), (1, 4, 1, 1))
    task = Segmentation("s", raw.shape[-1], dice=0, **options)
    return float(task.loss(_mask(*columns), {"logits": tf.constant(raw)})[0])


TWO = [[0.0, 2.0], [0.0, 2.0], [0.0, 2.0], [0.0, 2.0]]
WRONG, RIGHT = np.log1p(np.exp(2.0)), np.log1p(np.exp(-2.0))  # of a pixel of class 0, and of class 1


@pytest.mark.parametrize("weights", [[3.0, 1.0], {"0": 3}, {"0": 3.0, "1": 1.0}])
def test_the_pixels_of_a_class_count_so_many_times(weights):
    loss = _entropy(0, 1, 1, 1, logits=TWO, class_weights=weights)
    assert loss == pytest.approx((3 * WRONG + 3 * RIGHT) / 6, rel=1e-5)


def test_a_cell_of_two_classes_counts_as_its_pixels_do():
    labels = tf.constant([[[0, 1], [1, 1]]])
    task = Segmentation("s", 2, dice=0, class_weights=[3.0, 1.0])
    loss = task.loss(labels, {"logits": tf.constant([[[[0.0, 2.0]]]])})
    assert float(loss[0]) == pytest.approx((3 * WRONG + 3 * RIGHT) / 6, rel=1e-5)


def test_a_boundary_is_seen_a_cell_to_either_side_and_none_beside_the_unlabelled():
    assert emphasis.near_boundary(_mask(2, 2, 2, 0, 0, 0, 255, 255))[0, 1].numpy().tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_pixels_near_a_boundary_count_more():
    wrong, right = [0.0, 2.0], [2.0, 0.0]
    far = _entropy(0, 0, 0, 1, logits=[wrong, right, right, [0.0, 2.0]], boundary=2.0)
    near = _entropy(0, 0, 0, 1, logits=[right, right, wrong, [0.0, 2.0]], boundary=2.0)
    assert far == pytest.approx((WRONG + 7 * RIGHT) / 8, rel=1e-5)
    assert near == pytest.approx((3 * WRONG + 5 * RIGHT) / 8, rel=1e-5)


@pytest.mark.parametrize(
    ("hard", "expected"),
    [(0.25, WRONG), (0.5, (WRONG + RIGHT) / 2), (1.0, (WRONG + RIGHT + 2 * np.log1p(np.exp(-9))) / 4)],
)
def test_the_hardest_pixels_alone_are_learnt(hard, expected):
    logits = [[0.0, 2.0], [0.0, 2.0], [0.0, 9.0], [0.0, 9.0]]
    assert _entropy(0, 1, 1, 1, logits=logits, hard=hard) == pytest.approx(expected, rel=1e-4)


def test_hardest_keeps_at_least_its_fraction_of_each_image_and_little_more():
    loss = tf.random.stateless_uniform((3, 40, 50), (0, 1)) ** 4
    weight = tf.ones((3, 40, 50))
    kept = tf.reduce_mean(emphasis.hardest(loss, weight, 0.3), axis=(1, 2)).numpy()
    assert (kept >= 0.3).all()
    assert (kept < 0.31).all()


@pytest.mark.parametrize("options", [{"hard": 0.2}, {"boundary": 3.0}, {"class_weights": [1, 2, 3]}])
def test_an_image_without_a_labelled_pixel_teaches_nothing_and_its_neighbours_as_ever(options):
    task = Segmentation("s", 3, **options)
    labels = tf.stack([tf.fill((16, 16), 255), tf.random.stateless_uniform((16, 16), (0, 1), 0, 3, tf.int32)])
    logits = tf.random.stateless_normal((2, 8, 8, 3), (0, 1))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = task.loss(labels, {"logits": logits})
    slope = tape.gradient(loss, logits).numpy()
    assert loss[0] == 0
    assert (slope[0] == 0).all()
    assert np.isfinite(slope).all()
    assert float(loss[1]) == pytest.approx(float(task.loss(labels[1:], {"logits": logits[1:]})[0]), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_weights": [1.0]}, r"class_weights=\[1.0\]: expected a number for each of its 2 classes"),
        ({"class_weights": "frequency"}, "class_weights='frequency': expected a number for each of its 2 classes, or"),
        ({"class_weights": {"pol": 2}}, "has no class 'pol', named in class_weights. Did you mean 'pole'?"),
        ({"class_weights": {"pole": 0}}, "class_weights.pole=0: expected a number above 0"),
        ({"favour": 0.4}, "favour=0.4, a power of how rare classes are, which a recipe counts in its training data"),
        ({"favour": {"pole": -2}}, "favour.pole=-2: expected a number above 0"),
        ({"boundary": -1}, "boundary=-1: expected a number of at least 0"),
        ({"hard": 0}, "hard=0: expected a number above 0 and up to 1"),
    ],
)
def test_mistakes_are_told(options, message):
    with pytest.raises(UsageError, match=message):
        Segmentation("s", ["pole", "road"], **options)
