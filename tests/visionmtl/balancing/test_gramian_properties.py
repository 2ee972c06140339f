"""What the gradient balancers promise for any Gramian: peace, symmetry, scale, finite weights, the same under XLA."""

# ruff: noqa: N803  (K tasks and their Jacobian J, as in the papers)

import numpy as np
import pytest
import tensorflow as tf
from gramian_problems import METHODS, compiled, task_gradients, weights_of
from gramian_references import units
from hypothesis import given, settings
from hypothesis import strategies as st

from visionmtl.balancing import descent
from visionmtl.balancing import gramian as maths
from visionmtl.errors import UsageError

ORDERED = {"pcgrad": maths.pcgrad, "gradvac": lambda *given, order: maths.gradvac(*given, order=order)[0]}
NON_CONFLICTING = ("mgda", "config", "nash_mtl", "fairgrad", "upgrad", "dual_proj")


def random_gradients(seed, K, n):
    """Return K gradients `[K, n]`: any rank, some zero, some parallel or opposite, lengths over eight decades."""
    random = np.random.default_rng(seed)
    J = random.normal(size=(K, n)) * 10 ** random.uniform(-4, 4, (K, 1))
    for k in range(K):
        if random.random() < 0.3:
            J[k] = random.choice([-2.0, -1.0, 0.0, 1.0, 3.0]) * J[random.integers(K)]
    return J


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_two_tasks_pcgrad_is_upgrad(seed):
    J = np.random.default_rng(seed).normal(size=(2, 3)) * [[1], [100]]
    np.testing.assert_allclose(weights_of("pcgrad", J), weights_of("upgrad", J), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", NON_CONFLICTING)
@given(seed=st.integers(0, 2**32 - 1), K=st.sampled_from([2, 3, 5, 8]))
@settings(max_examples=25, deadline=None)
def test_the_update_conflicts_with_no_task(name, seed, K):
    J = task_gradients("norms", K, seed)
    update = weights_of(name, J) @ J
    assert (units(J) @ update).min() >= -1e-7 * np.linalg.norm(update)


@pytest.mark.parametrize("name", METHODS)
@given(seed=st.integers(0, 2**32 - 1), K=st.sampled_from([2, 3, 5]), n=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_any_positive_semi_definite_gramian_gives_finite_weights(name, seed, K, n):
    J = random_gradients(seed, K, n)
    assert np.isfinite(weights_of(name, J)).all()
    assert np.isfinite(compiled(name)(tf.constant(J @ J.T, tf.float32), tf.ones(K))).all()


@pytest.mark.parametrize("name", METHODS)
def test_without_a_usable_gradient_each_present_task_weighs_one(name):
    for gramian in (np.zeros((3, 3)), np.full((3, 3), np.nan), np.full((3, 3), np.inf)):
        np.testing.assert_array_equal(METHODS[name](gramian, [1, 0, 1]), [1, 0, 1])
        np.testing.assert_array_equal(METHODS[name](gramian), [1, 1, 1])
    np.testing.assert_array_equal(METHODS[name](np.eye(3), [0, 0, 0]), [0, 0, 0])


@pytest.mark.parametrize("K", [1, 2, 5])
@pytest.mark.parametrize("name", METHODS)
def test_k_equal_gradients_give_k_times_the_gradient(name, K):
    factor = 1.5 / 1.25 if name == "cagrad" else 1
    g = np.array([[3.0, -4.0]])
    np.testing.assert_allclose(weights_of(name, np.repeat(g, K, axis=0)).sum(), K * factor, rtol=1e-6)


@pytest.mark.parametrize("name", METHODS)
@given(seed=st.integers(0, 2**32 - 1), K=st.sampled_from([2, 3, 5]))
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


@pytest.mark.parametrize("name", METHODS)
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
    gramian = tf.constant(J @ J.T, tf.float32)
    weights = METHODS[name](gramian)
    assert weights.dtype == tf.float64
    np.testing.assert_allclose(weights, METHODS[name](tf.cast(gramian, tf.float64)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_xla_gives_the_same_weights(name):
    J = task_gradients("norms", 3)
    weights = tf.function(METHODS[name], jit_compile=True)(tf.constant(J @ J.T), tf.ones(3))
    np.testing.assert_allclose(weights, weights_of(name, J), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: maths.cagrad(np.eye(2), c=-1), "at least 0"),
        (lambda: maths.fairgrad(np.eye(2), alpha=0), "above 0"),
        (lambda: maths.mgda(np.eye(2), normalisation="l1"), "none, l2, loss, loss+"),
        (lambda: maths.mgda(np.eye(2), normalisation="loss"), "needs losses"),
        (lambda: maths.pcgrad(np.eye(2)), "a seed"),
        (lambda: maths.gradvac(np.eye(2), seed=[0, 0], beta=0), "above 0 and up to 1"),
        (lambda: descent.sdmgrad(np.eye(2), iterations=0), "at least 1"),
        (lambda: descent.modo(np.eye(2), gamma=0), "above 0"),
    ],
)
def test_a_wrong_hyperparameter_is_told_what_is_right(call, message):
    with pytest.raises(UsageError, match=message.replace("+", r"\+")):
        call()
