"""The maths of tying parameters together, against NumPy, finite differences and closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.sharing.base import penalties


def some(tasks=4, parameters=7, seed=0):
    return np.random.default_rng(seed).normal(size=(tasks, parameters))


def squares(x):
    return np.sum(x * x)


def slopes(function, x, step=1e-6):
    """The gradient of a function of an array, by central differences."""
    found = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        move = np.zeros_like(x)
        move[place] = step
        found[place] = (float(function(x + move)) - float(function(x - move))) / (2 * step)
    return found


def gradient(function, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x).numpy()


def test_the_distances_are_those_of_numpy():
    w = some()
    pairs = [(i, j) for i in range(4) for j in range(i)]
    np.testing.assert_allclose(penalties.to_mean(w), squares(w - w.mean(0)) / 2)
    np.testing.assert_allclose(penalties.to_centre(w, w[1] * 2), squares(w - w[1] * 2) / 2)
    np.testing.assert_allclose(penalties.pairwise(tf.constant(w)), sum(squares(w[i] - w[j]) for i, j in pairs) / 2 / 3)
    np.testing.assert_allclose(penalties.chain(w), sum(squares(w[k + 1] - w[k]) for k in range(3)) / 2)
    given = {(0, 2): 0.5, (1, 3): 2.0}
    expected = 0.25 * squares(w[0] - w[2]) + squares(w[1] - w[3])
    np.testing.assert_allclose(penalties.related(tf.constant(w), given), expected)


def test_pairs_tie_like_the_mean_at_another_strength():
    w = tf.constant(some())
    np.testing.assert_allclose(penalties.pairwise(w), penalties.to_mean(w) * 4 / 3)


@pytest.mark.parametrize("parameters", [3, 400])
def test_the_pull_on_a_parameter_is_its_distance_however_many_there_are(parameters):
    w = some(5, parameters)
    np.testing.assert_allclose(gradient(penalties.to_mean, w), w - w.mean(0), atol=1e-12)


@pytest.mark.parametrize("shape", [(4, 7), (5, 3), (1, 6)])
def test_the_trace_norm_is_that_of_numpy(shape):
    w = some(*shape)
    np.testing.assert_allclose(penalties.trace_norm(tf.constant(w)), np.linalg.norm(w, "nuc"), rtol=1e-7)
    np.testing.assert_allclose(penalties.trace_norm(tf.constant(w, tf.float32)), np.linalg.norm(w, "nuc"), rtol=1e-5)


def test_the_gradient_of_the_trace_norm_is_that_of_finite_differences():
    w = some(3, 6)
    expected = slopes(lambda x: np.linalg.norm(x, "nuc"), w)
    np.testing.assert_allclose(gradient(penalties.trace_norm, w), expected, rtol=1e-4, atol=1e-5)
    scaled = gradient(lambda x: 3.0 * penalties.trace_norm(x), w)
    np.testing.assert_allclose(scaled, 3 * expected, rtol=1e-4, atol=1e-5)


def test_the_gradient_of_the_trace_norm_is_right_where_singular_values_coincide():
    w = np.linalg.qr(some(6, 6))[0][:3] * 2  # three singular values of 2: the gradient is w / 2
    np.testing.assert_allclose(gradient(penalties.trace_norm, w), w / 2, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_of_the_trace_norm_is_finite_where_singular_values_vanish(dtype):
    equal = np.tile(some(1, 6), (3, 1)).astype(dtype)
    norm = np.linalg.norm(equal)
    np.testing.assert_allclose(gradient(penalties.trace_norm, equal), equal / norm, rtol=1e-4, atol=1e-5)
    zero = np.zeros((3, 6), dtype)
    np.testing.assert_array_equal(gradient(penalties.trace_norm, zero), zero)


def test_a_step_against_the_trace_norm_does_not_throw_nearly_equal_tasks_apart():
    w = np.tile(some(1, 6), (3, 1)) + 1e-5 * some(3, 6, seed=1)
    slope = gradient(penalties.trace_norm, w) * np.linalg.norm(w)
    moved = w - 1e-3 * slope
    assert squares(moved - moved.mean(0)) < squares(w - w.mean(0))


def test_the_relationship_is_its_closed_form():
    w = some()
    left, values, _ = np.linalg.svd(w, full_matrices=False)
    root = left * values @ left.T
    np.testing.assert_allclose(root @ root, w @ w.T)
    omega = penalties.relationship(penalties.gramian(w), ridge=0.0)
    np.testing.assert_allclose(omega, root / np.trace(root), atol=1e-10)
    np.testing.assert_allclose(penalties.relationship(penalties.gramian(w)), omega, atol=1e-3)


@pytest.mark.parametrize("w", [some(), some(5, 2), np.tile(some(1), (3, 1)), np.zeros((3, 7)), some() * 1e-9])
def test_the_relationship_is_symmetric_positive_and_of_unit_trace(w):
    omega = penalties.relationship(penalties.gramian(w)).numpy()
    np.testing.assert_array_equal(omega, omega.T)
    np.testing.assert_allclose(np.trace(omega), 1.0, rtol=1e-12)
    assert np.linalg.eigvalsh(omega).min() > 1e-4
    if not w.any():
        np.testing.assert_allclose(omega, np.eye(3) / 3)


def test_no_other_covariance_costs_less_than_the_relationship():
    products = penalties.gramian(some())
    least = float(penalties.under_relationship(products, penalties.relationship(products, ridge=0.0)))
    np.testing.assert_allclose(least, np.linalg.norm(some(), "nuc") ** 2 / 2)
    for seed in range(20):
        other = some(4, 6, seed)
        other = other @ other.T / squares(other)
        assert float(penalties.under_relationship(products, tf.constant(other))) > least


def test_the_relationship_held_constant_gives_the_gradient_of_the_whole():
    def penalty(x):
        products = penalties.gramian(x)
        return penalties.under_relationship(products, penalties.relationship(products, ridge=0.0))

    expected = slopes(lambda x: np.linalg.norm(x, "nuc") ** 2 / 2, some(3, 6))
    np.testing.assert_allclose(gradient(penalty, some(3, 6)), expected, rtol=1e-6)
