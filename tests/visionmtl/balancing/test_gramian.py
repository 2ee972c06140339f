"""Gradient balancers' maths against float64 references that work on the gradients themselves, by other algorithms."""

# ruff: noqa: N803  (K tasks and their Jacobian J, as in the papers)

import itertools

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from gramian_problems import KINDS, SIZES, distance, gradvac, pcgrad, task_gradients, weighing, weights_of
from gramian_references import (
    REFERENCES,
    reference_aligned,
    reference_cagrad,
    reference_length,
    reference_mgda,
    reference_pcgrad,
    to_dual_cone,
    units,
)

from visionmtl import balancing
from visionmtl.errors import UsageError


@pytest.mark.parametrize("K", few(SIZES, keep=(3, 20)))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REFERENCES)
def test_the_update_has_the_references_direction(name, kind, K):
    J = task_gradients(kind, K)
    update, wanted = weights_of(name, J) @ J, REFERENCES[name](J)
    if wanted is None:  # CAGrad's optimum is not unique; the test of its gain covers it
        assert (name, kind) == ("cagrad", "zero")
        return
    assert distance(update, wanted) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(REFERENCES.keys() - {"nash_mtl", "fairgrad"}))
def test_the_update_has_the_references_length(name):
    J = task_gradients("conflict", 5)
    assert np.linalg.norm(weights_of(name, J) @ J) == pytest.approx(reference_length(name, J), rel=1e-8)


PREFERENCE = {"a": 2.0, "c": 0.0}
NUMBERS = np.array([2, 1, 0, 1, 1])
PREFERRED = {
    "upgrad": lambda J: sum(p * to_dual_cone(J, g) for p, g in zip(NUMBERS, J, strict=True)),
    "dual_proj": lambda J: to_dual_cone(J, NUMBERS @ J),
    "aligned_mtl": lambda J: reference_aligned(J, NUMBERS),
    "config": lambda J: np.linalg.pinv(units(J), rcond=1e-8) @ NUMBERS,
}


@pytest.mark.parametrize("name", PREFERRED)
def test_a_preference_has_the_references_direction(name):
    J = task_gradients("conflict", 5)
    balancer = balancing.get(name, preference=PREFERENCE)
    with pytest.raises(UsageError, match=f"'{name}' has a preference by the names of tasks: prepare it with these"):
        balancer.weights(J @ J.T)
    balancer.prepare(list("abcde"), [False] * 5)
    update = balancer.weights(J @ J.T).numpy() @ J
    assert distance(update, PREFERRED[name](J)) < 1e-9
    if name != "config":  # whose length is that of the projections
        np.testing.assert_allclose(update, PREFERRED[name](J), rtol=1e-8, atol=1e-10)
    there = np.array([1, 1, 0, 1, 1])
    without = balancing.get(name, preference={"a": 4.0, "b": 2, "d": 2, "e": 2, "c": 50})
    without.prepare(list("abcde"), [False] * 5)
    balancer = balancing.get(name, preference={"a": 2.0})
    balancer.prepare(list("abcde"), [False] * 5)
    np.testing.assert_allclose(without.weights(J @ J.T, there), balancer.weights(J @ J.T, there), rtol=1e-9)


@pytest.mark.parametrize("K", few(SIZES, keep=(3, 20)))
def test_mgda_chooses_by_the_normalised_gradients_and_returns_convex_weights_times_k(K):
    J = task_gradients("parallel", K)
    lengths, losses = np.linalg.norm(J, axis=1), np.linspace(0.1, 3, K)
    for normalisation, divisor in {"l2": lengths, "loss": losses, "loss+": losses * lengths}.items():
        weights = weighing("mgda", normalisation=normalisation)(J @ J.T, losses=losses).numpy()
        assert distance(weights @ (J / divisor[:, None]), reference_mgda(J / divisor[:, None])) < 1e-9
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(K)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("K", few(SIZES, keep=(3, 20)))
def test_cagrad_stays_on_or_in_its_ball_and_reaches_the_best_worst_gain(K, kind):
    J = task_gradients(kind, K)
    mean = J.mean(0)
    update = weights_of("cagrad", J) @ J * (1 + 0.5**2) / K
    assert np.linalg.norm(update - mean) <= 0.5 * np.linalg.norm(mean) * (1 + 1e-9)
    wanted = REFERENCES["cagrad"](J)
    best = 0 if wanted is None else (J @ wanted).min()
    assert (J @ update).min() >= best - 1e-7 * np.linalg.norm(mean) * np.linalg.norm(J, axis=1).max()


@pytest.mark.slow
def test_cagrad_climbs_no_loss_where_its_ball_has_such_an_update():
    stationary = np.array([[1.0, 0, 0, 0], [0, 2, 0, 0], [-3, -1, 0, 0]])  # 0 is in the hull; the mean climbs the first
    beside = np.array([[1.0, 0, 0], [-2, 0, 0], [0, 10, 0]])  # of c = 0.5 too: (0, 10, 0) / 3 is near the mean
    for J, c in ((stationary, 1.0), (stationary, 1.5), (beside, 0.5)):
        update = weighing("cagrad", c=c)((J @ J.T).astype("float32")).numpy() @ J
        assert (J @ update).min() >= -1e-5 * (J**2).sum()
        assert np.linalg.norm(update * (1 + c**2) / 3 - J.mean(0)) <= c * np.linalg.norm(J.mean(0)) * (1 + 1e-6)
        np.testing.assert_allclose(update * (1 + c**2), to_dual_cone(J, J.sum(0)), atol=1e-4)


@pytest.mark.parametrize("seed", [34, 82, 120, 145])
def test_cagrad_finds_its_optimum_at_stationary_points_of_few_dimensions(seed):
    J = task_gradients("stationary", 5, seed)  # at these the descent stays at the corner where g_w is zero
    update, mean = weights_of("cagrad", J) @ J * (1 + 0.5**2) / 5, J.mean(0)
    assert np.linalg.norm(update - mean) <= 0.5 * np.linalg.norm(mean) * (1 + 1e-6)
    best, longest = (J @ reference_cagrad(J, 0.5)).min(), np.linalg.norm(J, axis=1).max()
    assert (J @ update).min() >= best - 1e-5 * np.linalg.norm(mean) * longest


def test_mgda_gives_all_weight_to_a_zero_gradient():
    np.testing.assert_array_equal(weights_of("mgda", np.array([[1.0, 0], [0, 0], [0, 2]])), [0, 3, 0])


@pytest.mark.parametrize("alpha", few([0.5, 1.0, 2.0, 5.0, 8.0, 20.0, 50.0], keep=(0.5, 2.0, 8.0, 50.0)))
@pytest.mark.parametrize("kind", few(["norms", "conflict"], keep=["norms"]))
@pytest.mark.parametrize("K", few(SIZES, keep=(3, 20)))
def test_fairgrad_solves_its_equation(K, kind, alpha):
    J = task_gradients(kind, K)
    weights = weighing("fairgrad", alpha=alpha)(J @ J.T).numpy()
    ratio = J @ (weights @ J) * weights ** (1 / alpha)
    np.testing.assert_allclose(ratio / ratio.mean(), 1, rtol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("K", few(SIZES, keep=(3, 20)))
def test_pcgrad_with_a_given_order_is_the_papers_loop(K, kind):
    J, random = task_gradients(kind, K), np.random.default_rng(K)
    order = np.array([random.permutation([j for j in range(K) if j != k]) for k in range(K)])
    update = pcgrad(J @ J.T, order=order).numpy() @ J
    assert np.linalg.norm(update - reference_pcgrad(J, order)) < 1e-9 * np.linalg.norm(J)


def test_pcgrad_draws_an_order_for_each_task_from_the_seed_and_the_step():
    J = task_gradients("conflict", 3)
    orders = itertools.product(*(itertools.permutations({0, 1, 2} - {k}) for k in range(3)))
    possible = np.array([pcgrad(J @ J.T, order=np.array(order)) for order in orders])
    drawn = tf.function(lambda step: balancing.get("pcgrad").weights(J @ J.T, step=step))
    met = set()
    for step in range(120):
        weights = drawn(tf.constant(step)).numpy()
        np.testing.assert_array_equal(weights, drawn(tf.constant(step)))
        assert np.abs(possible - weights).max(1).min() < 1e-12
        met.add(int(np.abs(possible - weights).max(1).argmin()))
    assert len(met) == len(np.unique(possible.round(9), axis=0))


@pytest.mark.parametrize("K", few(SIZES, keep=(3, 20)))
@pytest.mark.parametrize("kind", KINDS)
def test_gradvac_is_the_papers_loop_on_the_gradients(kind, K):
    J, random = task_gradients(kind, K), np.random.default_rng(K)
    means = random.uniform(-0.5, 0.6, (K, K))
    order = np.array([random.permutation([j for j in range(K) if j != k]) for k in range(K)])
    weights, moved = gradvac(J @ J.T, order=order, means=means, beta=0.3)
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
    weights, _ = gradvac(J @ J.T, means=[[0, 0.5], [-1, 0]], order=[[1], [0]])  # only the first is to turn
    turned = weights.numpy() @ J - J[1]
    assert turned @ J[1] / np.linalg.norm(turned) == pytest.approx(0.5)
