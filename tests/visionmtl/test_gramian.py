"""Gradient balancers' maths against float64 references that work on the gradients themselves, by other algorithms."""

# ruff: noqa: N803  (K tasks and their Jacobian J, as in the papers)

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf
from gramian_references import (
    reference_aligned,
    reference_cagrad,
    reference_fair,
    reference_imtl_g,
    reference_mgda,
    reference_pcgrad,
    to_dual_cone,
    units,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from visionmtl.balancing import descent
from visionmtl.balancing import gramian as maths
from visionmtl.errors import UsageError

SIZES = (2, 3, 5, 8, 20)
KINDS = ("plain", "norms", "conflict", "parallel", "zero")

METHODS = {
    "gradvac": lambda *given: maths.gradvac(*given, seed=[1, 2])[0],
    "sdmgrad": lambda *given: descent.sdmgrad(*given)[0],
    "longest_norm": maths.longest_norm,
    "unit_norm": maths.unit_norm,
    "mgda": maths.mgda,
    "mgda_l2": functools.partial(maths.mgda, normalisation="l2"),
    "pcgrad": functools.partial(maths.pcgrad, seed=[1, 2]),
    "cagrad": maths.cagrad,
    "imtl_g": maths.imtl_g,
    "config": maths.config,
    "nash_mtl": maths.nash_mtl,
    "fairgrad": maths.fairgrad,
    "aligned_mtl": maths.aligned_mtl,
    "upgrad": maths.upgrad,
    "dual_proj": maths.dual_proj,
}
ORDERED = {"pcgrad": maths.pcgrad, "gradvac": lambda *given, order: maths.gradvac(*given, order=order)[0]}
NON_CONFLICTING = ("mgda", "config", "nash_mtl", "fairgrad", "upgrad", "dual_proj")


def task_gradients(kind, K, seed=0):
    """Return K gradients `[K, K + 3]` in general position, so that a direction at peace with all exists."""
    random = np.random.default_rng([K, seed])
    J = random.normal(size=(K, K + 3))
    if kind == "conflict":  # all lean against their common mean, which makes every pair conflict
        J -= 0.9 * J.mean(0)
    if kind in ("norms", "parallel", "zero"):
        J *= np.geomspace(1, 1e4, K)[random.permutation(K), None] / np.linalg.norm(J, axis=1, keepdims=True)
    if kind == "parallel":
        J[1] = 3 * J[0]
    if kind == "zero":
        J[K // 2] = 0
    return J


def distance(found, wanted):
    """Return the cosine distance of two vectors."""
    lengths = np.linalg.norm(found) * np.linalg.norm(wanted)
    return 1 - found @ wanted / lengths if lengths else float(np.linalg.norm(found - wanted) > 0)


REFERENCES = {
    "longest_norm": lambda J: units(J).sum(0) * np.linalg.norm(J, axis=1).max(),
    "unit_norm": lambda J: units(J).sum(0) * np.linalg.norm(J, axis=1)[np.linalg.norm(J, axis=1) > 0].mean(),
    "mgda": reference_mgda,
    "cagrad": lambda J: reference_cagrad(J, 0.5),
    "imtl_g": reference_imtl_g,
    "config": lambda J: np.linalg.pinv(units(J), rcond=1e-8).sum(1),
    "nash_mtl": lambda J: reference_fair(J, 1.0),
    "fairgrad": lambda J: reference_fair(J, 2.0),
    "aligned_mtl": reference_aligned,
    "upgrad": lambda J: sum(to_dual_cone(J, g) for g in J),
    "dual_proj": lambda J: to_dual_cone(J, J.sum(0)),
}


@functools.cache
def compiled(name):
    """Return the method as one graph for each K, as a training step runs it."""
    return tf.function(METHODS[name])


def weights_of(name, J, present=None):
    """Return the weights `[K]` of a method for gradients `[K, n]`."""
    present = np.ones(len(J)) if present is None else present
    return compiled(name)(tf.constant(J @ J.T), tf.constant(present)).numpy()


def random_gradients(seed, K, n):
    """Return K gradients `[K, n]`: any rank, some zero, some parallel or opposite, lengths over eight decades."""
    random = np.random.default_rng(seed)
    J = random.normal(size=(K, n)) * 10 ** random.uniform(-4, 4, (K, 1))
    for k in range(K):
        if random.random() < 0.3:
            J[k] = random.choice([-2.0, -1.0, 0.0, 1.0, 3.0]) * J[random.integers(K)]
    return J


@pytest.mark.parametrize("K", SIZES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REFERENCES)
def test_the_update_has_the_references_direction(name, kind, K):
    J = task_gradients(kind, K)
    update, wanted = weights_of(name, J) @ J, REFERENCES[name](J)
    if wanted is None:  # CAGrad's optimum is not unique; the test of its gain covers it
        assert (name, kind) == ("cagrad", "zero")
        return
    assert distance(update, wanted) < 1e-9


@pytest.mark.parametrize("name", ["unit_norm", "aligned_mtl", "upgrad", "dual_proj"])
def test_the_update_has_the_references_length(name):
    J = task_gradients("conflict", 5)
    np.testing.assert_allclose(weights_of(name, J) @ J, REFERENCES[name](J), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("K", SIZES)
def test_mgda_chooses_by_the_normalised_gradients_and_returns_convex_weights_times_k(K):
    J = task_gradients("parallel", K)
    lengths, losses = np.linalg.norm(J, axis=1), np.linspace(0.1, 3, K)
    for normalisation, divisor in {"l2": lengths, "loss": losses, "loss+": losses * lengths}.items():
        weights = maths.mgda(J @ J.T, normalisation=normalisation, losses=losses).numpy()
        assert distance(weights @ (J / divisor[:, None]), reference_mgda(J / divisor[:, None])) < 1e-9
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(K)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("K", SIZES)
def test_cagrad_stays_on_or_in_its_ball_and_reaches_the_best_worst_gain(K, kind):
    J = task_gradients(kind, K)
    mean = J.mean(0)
    update = weights_of("cagrad", J) @ J * (1 + 0.5**2) / K
    assert np.linalg.norm(update - mean) <= 0.5 * np.linalg.norm(mean) * (1 + 1e-9)
    wanted = REFERENCES["cagrad"](J)
    best = 0 if wanted is None else (J @ wanted).min()
    assert (J @ update).min() >= best - 1e-7 * np.linalg.norm(mean) * np.linalg.norm(J, axis=1).max()


def test_mgda_gives_all_weight_to_a_zero_gradient():
    np.testing.assert_array_equal(weights_of("mgda", np.array([[1.0, 0], [0, 0], [0, 2]])), [0, 3, 0])


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("K", SIZES)
def test_fairgrad_solves_its_equation(K, alpha):
    J = task_gradients("norms", K)
    weights = maths.fairgrad(J @ J.T, alpha=alpha).numpy()
    ratio = J @ (weights @ J) * weights ** (1 / alpha)
    np.testing.assert_allclose(ratio / ratio.mean(), 1, rtol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("K", SIZES)
def test_pcgrad_with_a_given_order_is_the_papers_loop(K, kind):
    J, random = task_gradients(kind, K), np.random.default_rng(K)
    order = np.array([random.permutation([j for j in range(K) if j != k]) for k in range(K)])
    update = maths.pcgrad(J @ J.T, order=order).numpy() @ J
    assert np.linalg.norm(update - reference_pcgrad(J, order)) < 1e-9 * np.linalg.norm(J)


def test_pcgrad_draws_an_order_for_each_task_from_the_seed():
    J = task_gradients("conflict", 3)
    orders = itertools.product(*(itertools.permutations({0, 1, 2} - {k}) for k in range(3)))
    possible = np.array([maths.pcgrad(J @ J.T, order=np.array(order)) for order in orders])
    found = set()
    for seed in range(120):
        weights = maths.pcgrad(J @ J.T, seed=[seed, 0]).numpy()
        np.testing.assert_array_equal(weights, maths.pcgrad(J @ J.T, seed=[seed, 0]))
        assert np.abs(possible - weights).max(1).min() < 1e-12
        found.add(int(np.abs(possible - weights).max(1).argmin()))
    assert len(found) == len(np.unique(possible.round(9), axis=0))


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


@pytest.mark.parametrize("K", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_gradvac_is_the_papers_loop_on_the_gradients(kind, K):
    J, random = task_gradients(kind, K), np.random.default_rng(K)
    means = random.uniform(-0.5, 0.6, (K, K))
    order = np.array([random.permutation([j for j in range(K) if j != k]) for k in range(K)])
    weights, moved = maths.gradvac(J @ J.T, order=order, memory=means, beta=0.3)
    running, expected = J.copy(), means.copy()
    for k, others in enumerate(order):
        for j in others:
            lengths = np.linalg.norm(running[k]) * np.linalg.norm(J[j])
            if not lengths:
                continue
            cosine, aim = np.clip(running[k] @ J[j] / lengths, -1, 1), means[k, j]
            expected[k, j] = 0.7 * aim + 0.3 * cosine
            if cosine < aim:
                factor = aim * np.sqrt(1 - cosine**2) - cosine * np.sqrt(1 - aim**2)
                factor *= np.linalg.norm(running[k]) / (np.linalg.norm(J[j]) * np.sqrt(1 - aim**2))
                running[k] = running[k] + factor * J[j]
    np.testing.assert_allclose(weights.numpy() @ J, running.sum(0), rtol=1e-6, atol=1e-6 * np.linalg.norm(J))
    np.testing.assert_allclose(moved, expected, atol=1e-9)


def test_gradvac_turns_a_pair_to_the_cosine_it_aims_at():
    J = np.array([[1.0, 0.0], [-0.6, 0.8]])
    weights, _ = maths.gradvac(J @ J.T, memory=[[0, 0.5], [-1, 0]], seed=[0, 0])  # only the first is to turn
    turned = weights.numpy() @ J - J[1]
    assert turned @ J[1] / np.linalg.norm(turned) == pytest.approx(0.5)


def nearest_on_simplex(point):
    """Bisect the shift after which the positive parts sum to 1."""
    low, high = point.min() - 1, point.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(point - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(point - low, 0)


@pytest.mark.parametrize("K", SIZES)
def test_sdmgrad_descends_on_the_simplex(K):
    J, start = task_gradients("conflict", K), nearest_on_simplex(np.random.default_rng(K).uniform(size=K))
    weights, moved = descent.sdmgrad(J @ J.T, memory=start, lamda=0.4, iterations=5, learning_rate=2.0, momentum=0.3)
    product, w, velocity = J @ J.T / (J**2).sum(), start, 0
    for _ in range(5):
        velocity = 0.3 * velocity + product @ (w + 0.4 / K)
        w = nearest_on_simplex(w - 2 * velocity)
    np.testing.assert_allclose(moved, w, atol=1e-9)
    np.testing.assert_allclose(weights, K * (w + 0.4 / K) / 1.4, atol=1e-8)


@pytest.mark.parametrize("K", SIZES)
def test_sdmgrad_without_its_pull_ends_at_mgda(K):
    J = task_gradients("conflict", K)
    weights, _ = tf.function(lambda gramian: descent.sdmgrad(gramian, lamda=0, iterations=20000))(J @ J.T)
    assert distance(weights.numpy() @ J, reference_mgda(J)) < 1e-5


@pytest.mark.parametrize("K", SIZES)
def test_modo_takes_one_step_a_call(K):
    J, start = task_gradients("norms", K), np.full(K, 1 / K)
    weights, moved = descent.modo(J @ J.T, gamma=1e-8, rho=0.2)
    w = nearest_on_simplex(start - 1e-8 * (J @ (J.T @ start) + 0.2 * start))
    np.testing.assert_allclose(moved, w, atol=1e-12)
    np.testing.assert_allclose(weights, K * w, atol=1e-9)
    _, again = descent.modo(J @ J.T, memory=moved, gamma=1e-8, rho=0.2)
    np.testing.assert_allclose(again, nearest_on_simplex(w - 1e-8 * (J @ (J.T @ w) + 0.2 * w)), atol=1e-12)


@pytest.mark.parametrize("method", [descent.sdmgrad, descent.modo])
def test_what_descends_leaves_an_absent_tasks_memory_alone(method):
    J, memory = task_gradients("plain", 3), np.array([0.2, 0.3, 0.5])
    weights, moved = method(J @ J.T, [1, 0, 1], memory=memory)
    assert weights[1] == 0
    assert moved[1] == 0.3
    assert np.asarray(weights).sum() == pytest.approx(2)
    assert float(moved[0] + moved[2]) == pytest.approx(1)
