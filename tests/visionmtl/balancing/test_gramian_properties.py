"""What the gradient balancers promise for any Gramian: peace, symmetry, scale, finite weights, the same under XLA."""

# ruff: noqa: N803  (K tasks and their Jacobian J, as in the papers)

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from gramian_problems import METHODS, gradvac, pcgrad, task_gradients, weights_from, weights_of
from gramian_references import units
from hypothesis import given, settings
from hypothesis import strategies as st

from visionmtl import balancing

ORDERED = {"pcgrad": pcgrad, "gradvac": lambda *given, order: gradvac(*given, order=order)[0]}
NON_CONFLICTING = [name for name, method in balancing.METHODS.items() if "no task gets worse" in method.promise]
SCALE_FREE = [name for name in METHODS if name not in balancing.METHODS or balancing.METHODS[name].scale_free]


def random_gradients(seed, K, n):
    """Return K gradients `[K, n]`: any rank, some zero, some parallel or opposite, lengths over eight decades."""
    random = np.random.default_rng(seed)
    J = random.normal(size=(K, n)) * 10 ** random.uniform(-4, 4, (K, 1))
    for k in range(K):
        if random.random() < 0.3:
            J[k] = random.choice([-2.0, -1.0, 0.0, 1.0, 3.0]) * J[random.integers(K)]
    return J


@pytest.mark.slow
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_two_tasks_pcgrad_is_upgrad(seed):
    J = np.random.default_rng(seed).normal(size=(2, 3)) * [[1], [100]]
    np.testing.assert_allclose(weights_of("pcgrad", J), weights_of("upgrad", J), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", NON_CONFLICTING)
@given(seed=st.integers(0, 2**32 - 1), K=st.sampled_from([3, 5, 8]))
@settings(max_examples=20, deadline=None)
def test_the_update_conflicts_with_no_task(name, seed, K):
    J = task_gradients("norms", K, seed)
    update = weights_of(name, J) @ J
    assert (units(J) @ update).min() >= -1e-7 * np.linalg.norm(update)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
@given(seed=st.integers(0, 2**32 - 1), K=st.sampled_from([3, 5]), n=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_any_positive_semi_definite_gramian_gives_finite_weights(name, seed, K, n):
    J = random_gradients(seed, K, n)
    assert np.isfinite(weights_of(name, J)).all()
    assert np.isfinite(weights_from(name, (J @ J.T).astype("float32"), np.ones(K))).all()


@pytest.mark.parametrize("name", METHODS)
def test_without_a_usable_gradient_each_present_task_weighs_one(name):
    nobody, two, all_three = ([0.0, 0, 0], [1.0, 0, 1], [1.0, 1, 1])
    for gramian in (np.zeros((3, 3)), np.full((3, 3), np.nan), np.full((3, 3), np.inf)):
        np.testing.assert_array_equal(weights_from(name, gramian, two), two)
        np.testing.assert_array_equal(weights_from(name, gramian, all_three), all_three)
    np.testing.assert_array_equal(weights_from(name, np.eye(3), nobody), nobody)


@pytest.mark.parametrize("K", [1, 5])
@pytest.mark.parametrize("name", METHODS)
def test_k_equal_gradients_give_k_times_the_gradient(name, K):
    gain = balancing.METHODS[name]().gain() if name in balancing.METHODS else 1
    g = np.array([[3.0, -4.0]])
    np.testing.assert_allclose(weights_of(name, np.repeat(g, K, axis=0)).sum(), K * gain, rtol=1e-6)


@pytest.mark.parametrize("name", METHODS)
@given(seed=st.integers(0, 2**32 - 1), K=st.sampled_from([3, 5]))
@settings(max_examples=10, deadline=None)
def test_permuted_tasks_get_permuted_weights(name, seed, K):
    J, permutation = task_gradients("norms", K, seed), np.random.default_rng(seed).permutation(K)
    if name in ORDERED:
        order = np.array([[j for j in range(K) if j != k] for k in range(K)])
        place = np.argsort(permutation)
        first = ORDERED[name](J @ J.T, order=order).numpy()[permutation]
        second = ORDERED[name](J[permutation] @ J[permutation].T, order=place[order[permutation]]).numpy()
    else:
        first, second = weights_of(name, J)[permutation], weights_of(name, J[permutation])
    np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-9 * np.abs(first).max())


@pytest.mark.parametrize("name", SCALE_FREE)
def test_the_common_scale_of_the_gradients_changes_no_weight(name):
    J = task_gradients("norms", 3)
    for scale in (1e-15, 1e15):
        np.testing.assert_allclose(weights_of(name, J * scale), weights_of(name, J), rtol=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_an_absent_task_leaves_the_smaller_problem(name):
    J, present = task_gradients("conflict", 5), np.array([1, 0, 1, 1, 0], bool)
    J[1] *= 1e3
    weights = weights_of(name, J, present.astype(float))
    assert (weights[~present] == 0).all()
    if name in ORDERED:  # the draws of five tasks are not those of three
        order = np.array([[j for j in range(5) if j != k] for k in range(5)])
        weights = ORDERED[name](J @ J.T, present, order=order).numpy()
        wanted = ORDERED[name](J[present] @ J[present].T, order=np.array([[1, 2], [0, 2], [0, 1]]))
    else:
        wanted = weights_of(name, J[present])
    np.testing.assert_allclose(weights[present], wanted, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_a_float32_gramian_is_solved_in_float64(name):
    J = task_gradients("plain", 5)
    gramian = (J @ J.T).astype("float32")
    weights = weights_from(name, gramian, np.ones(5))
    assert weights.dtype == "float64"
    np.testing.assert_allclose(
        weights, weights_from(name, gramian.astype("float64"), np.ones(5)), rtol=1e-9, atol=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", few(METHODS, keep=("aligned_mtl", "upgrad")))
def test_xla_gives_the_same_weights(name):
    J = task_gradients("norms", 3)
    weights = tf.function(METHODS[name], jit_compile=True)(tf.constant(J @ J.T), tf.ones(3))
    np.testing.assert_allclose(weights, weights_of(name, J), rtol=1e-8, atol=1e-12)
