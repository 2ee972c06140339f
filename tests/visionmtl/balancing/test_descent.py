"""Gramian methods that descend on the simplex from step to step, against their papers' steps in NumPy."""

# ruff: noqa: N803  (K tasks and their Jacobian J, as in the papers)

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from gramian_problems import SIZES, distance, task_gradients
from gramian_references import reference_mgda

from visionmtl import balancing
from visionmtl.balancing.gramian_method import Comparison, gradients


def descended(name, gramian, present=None, memory=None, preference=None, **hyperparameters):
    """Return a method's weights and its new memory."""
    comparison = Comparison(gramian, None, tf.zeros(2, tf.int32), memory, None, preference)
    return balancing.METHODS[name](**hyperparameters).weights_and_memory(gradients(gramian, present), comparison)


def nearest_on_simplex(point):
    """Bisect the shift after which the positive parts sum to 1."""
    low, high = point.min() - 1, point.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(point - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(point - low, 0)


@pytest.mark.parametrize("steps", ["trace", "raw", "length"])
@pytest.mark.parametrize("K", few(SIZES, keep=(3,)))
def test_sdmgrad_descends_on_the_simplex(K, steps):
    J, start = task_gradients("conflict", K), nearest_on_simplex(np.random.default_rng(K).uniform(size=K))
    divisor = {"trace": (J**2).sum(), "raw": 1, "length": np.linalg.norm(J, axis=1).mean() ** 2}[steps]
    rate, momentum = {"trace": (2.0, 0.3), "raw": (0.02, 0.0), "length": (1.0, 0.5)}[steps]  # raw: as in the paper
    options = {"iterations": 5, "learning_rate": rate, "momentum": momentum, "steps": steps}
    w0 = np.arange(1, K + 1) / np.arange(1, K + 1).sum()
    weights, moved = descended(
        "sdmgrad", J @ J.T, None, start, tf.range(1, K + 1, dtype=tf.float64), lamda=0.4, **options
    )
    product, w, velocity = J @ J.T / divisor, start, 0
    for _ in range(5):
        velocity = momentum * velocity + product @ (w + 0.4 * w0)
        w = nearest_on_simplex(w - rate * velocity)
    np.testing.assert_allclose(moved, w, atol=1e-9)
    np.testing.assert_allclose(weights, K * (w + 0.4 * w0) / 1.4, atol=1e-8)


@pytest.mark.parametrize("K", few(SIZES, keep=(3,)))
def test_sdmgrad_without_its_pull_ends_at_mgda(K):
    J = task_gradients("conflict", K)
    weights, _ = tf.function(lambda gramian: descended("sdmgrad", gramian, lamda=0, iterations=20000))(J @ J.T)
    assert distance(weights.numpy() @ J, reference_mgda(J)) < 1e-5


@pytest.mark.parametrize("K", SIZES)
def test_modo_takes_one_step_a_call(K):
    J, start = task_gradients("norms", K), np.full(K, 1 / K)
    weights, moved = descended("modo", J @ J.T, gamma=1e-8, rho=0.2)
    w = nearest_on_simplex(start - 1e-8 * (J @ (J.T @ start) + 0.2 * start))
    np.testing.assert_allclose(moved, w, atol=1e-12)
    np.testing.assert_allclose(weights, K * w, atol=1e-9)
    _, again = descended("modo", J @ J.T, memory=moved, gamma=1e-8, rho=0.2)
    np.testing.assert_allclose(again, nearest_on_simplex(w - 1e-8 * (J @ (J.T @ w) + 0.2 * w)), atol=1e-12)


@pytest.mark.parametrize("name", ["sdmgrad", "modo"])
def test_what_descends_leaves_an_absent_tasks_memory_alone(name):
    J, memory = task_gradients("plain", 3), np.array([0.2, 0.3, 0.5])
    weights, moved = descended(name, J @ J.T, [1, 0, 1], memory=memory)
    assert weights[1] == 0
    assert moved[1] == 0.3
    assert np.asarray(weights).sum() == pytest.approx(2)
    assert float(moved[0] + moved[2]) == pytest.approx(1)
