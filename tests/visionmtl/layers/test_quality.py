"""Scores times qualities, against products of sigmoids."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.layers import LocalisationQuality
from visionmtl.layers.quality import logit_of_product, statistics


def test_the_sigmoid_of_the_logit_is_the_product_of_the_two():
    a, b = (tf.constant(each, tf.float32) for each in np.meshgrid(np.linspace(-15, 15, 61), np.linspace(-15, 15, 61)))
    exact = 1 / ((1 + np.exp(-a.numpy().astype(float))) * (1 + np.exp(-b.numpy().astype(float))))
    np.testing.assert_allclose(tf.sigmoid(logit_of_product(a, b)), exact, rtol=2e-5)


def test_a_logit_far_from_zero_is_finite_and_so_is_its_slope():
    far = tf.constant([-200.0, -200, 200, 200, -200, 0]), tf.constant([-200.0, 200, -200, 200, 0, -200])
    with tf.GradientTape() as tape:
        tape.watch(far)
        made = logit_of_product(*far)
    np.testing.assert_allclose(made, [-400, -200, -200, 200 - np.log(2), -200 - np.log(2), -200 - np.log(2)], rtol=1e-6)
    assert all(np.isfinite(slope).all() for slope in tape.gradient(made, far))


def test_a_sharper_distribution_has_other_statistics_of_its_own_side_alone():
    flat, sharp = np.zeros((4, 8), "float32"), np.full((4, 8), -40, "float32")
    sharp[:, 3] = 900
    mixed = np.stack([flat, np.concatenate([sharp[:1], flat[1:]])])
    (plain, other) = statistics(tf.constant(mixed)).numpy().reshape(2, 3, 4)
    np.testing.assert_allclose(plain[:, 0], [1 / 8, 1 / 8, np.sqrt(63 / 12)], rtol=1e-3)
    np.testing.assert_allclose(other[:, 0], [1, 1, np.sqrt(1e-3)], rtol=1e-3)
    np.testing.assert_array_equal(other[:, 1:], plain[:, 1:])


def test_statistics_are_those_of_the_distributions():
    logits = tf.constant(np.random.default_rng(0).normal(size=(5, 4, 8)), tf.float32)
    spread, places = tf.nn.softmax(logits).numpy(), np.arange(8)
    mean = (spread * places).sum(-1)
    deviation = np.sqrt((spread * (places - mean[..., None]) ** 2).sum(-1))
    expected = np.concatenate([spread.max(-1), (spread**2).sum(-1), deviation], axis=1)
    np.testing.assert_allclose(statistics(logits), expected, rtol=1e-3)


def test_scores_start_as_if_it_was_not_there_and_learn_from_the_sides():
    random = np.random.default_rng(0)
    scores = tf.constant(random.normal(size=(2, 3, 4, 5)), tf.float32)
    sides = tf.constant(random.normal(size=(2, 3, 4, 32)), tf.float32)
    layer = LocalisationQuality(8)
    with tf.GradientTape() as tape:
        tape.watch(sides)
        found = layer([scores, sides])
    np.testing.assert_allclose(tf.sigmoid(found) / tf.sigmoid(scores), 0.9, atol=0.05)
    assert np.any(tape.gradient(found, sides))
    assert layer.compute_output_shape([scores.shape, sides.shape]) == pytest.approx(found.shape)
