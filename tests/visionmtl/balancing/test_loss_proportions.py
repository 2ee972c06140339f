"""Loss balancers that bring losses into proportion, to each other or to a ray: their numbers, worked out apart."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from loss_problems import ALL, LOSSES, prepared, slopes, softmax, weights

from visionmtl.balancing.losses.go4align import group_means


def test_pbi_is_the_distance_along_a_ray_and_a_penalty_on_that_from_it():
    ray = np.array([1.0, 3.0, 0.5])

    def wanted(losses):
        along = losses @ ray / np.linalg.norm(ray)
        return np.sqrt(3) * (along + 2 * np.linalg.norm(losses - along * ray / np.linalg.norm(ray)))

    balancer = prepared("pbi", penalty=2, ray={"b": 3, "c": 0.5})
    assert float(balancer(LOSSES)) == pytest.approx(wanted(LOSSES), rel=1e-6)
    np.testing.assert_allclose(weights(balancer), slopes(wanted, LOSSES), rtol=1e-4)
    np.testing.assert_allclose(weights(balancer, 0.7 * ray), np.sqrt(3) * ray / np.linalg.norm(ray), rtol=1e-5)
    np.testing.assert_allclose(weights(prepared("pbi"), [2.0, 2, 2]), [1, 1, 1], rtol=1e-5)
    ahead = weights(prepared("pbi"))
    assert ahead[0] < 0 < ahead[2]


def test_cosmos_is_the_weighted_sum_less_the_cosine_to_its_ray():
    ray = np.array([1.0, 3.0, 0.5])

    def wanted(losses):
        cosine = losses @ ray / np.linalg.norm(losses) / np.linalg.norm(ray)
        return 3 * (losses @ ray / ray.sum() - 1.5 * cosine)

    balancer = prepared("cosmos", penalty=1.5, ray={"b": 3, "c": 0.5})
    assert float(balancer(LOSSES)) == pytest.approx(wanted(LOSSES), rel=1e-6)
    np.testing.assert_allclose(weights(balancer), slopes(wanted, LOSSES), rtol=1e-4)
    np.testing.assert_allclose(weights(prepared("cosmos"), [2.0, 2, 2]), [1, 1, 1], rtol=1e-5)


def test_ldc_mtl_brings_the_weighted_losses_near_to_each_other():
    balancer = prepared("ldc_mtl", penalty=0.3)
    balancer.update(tf.constant([2.0, 0, 8]), tf.constant([1.0, 0, 1]))
    balancer.update(tf.constant([9.0, 4, 9]), ALL)  # the first of b alone
    logits = np.array([0.2, -0.5, 0.1])
    balancer.logits.assign(logits)

    def wanted(losses, logits=logits, there=(0, 1, 2)):
        weighted = softmax(logits[list(there)]) * (losses / [1, 2, 4])[list(there)]
        return len(there) * (weighted.sum() + 0.3 * np.abs(np.diff(weighted)).sum())

    assert float(balancer(LOSSES)) == pytest.approx(wanted(LOSSES), rel=1e-6)
    np.testing.assert_allclose(weights(balancer), slopes(wanted, LOSSES), rtol=1e-4)
    part = balancer.scalarise(tf.constant([1.0, 0, 4]), tf.constant([1.0, 0, 1]))
    assert float(part) == pytest.approx(wanted(np.array([1.0, 0, 4]), there=(0, 2)), rel=1e-6)
    with tf.GradientTape() as tape:
        total = balancer.scalarise(tf.constant(LOSSES, tf.float32), ALL)
    by_logits = slopes(lambda changed: wanted(LOSSES, changed), logits)
    np.testing.assert_allclose(tape.gradient(total, balancer.logits.value), by_logits, rtol=1e-3, atol=1e-5)


def test_go4align_gives_a_group_of_tasks_the_mean_of_their_indicators():
    balancer, p = prepared("go4align", groups=2, step_size=0.1), np.full(3, 1 / 3)
    for losses in ([1.0, 2, 4], [1.0, 0.5, 2]):
        p = p * np.exp(-0.1 * np.array(losses))
        p /= p.sum()
        indicators = p * np.sum(losses) / losses
        divisions = [[[0], [1, 2]], [[0, 1], [2]], [[0, 2], [1]]]
        error = [sum(np.var(indicators[one]) * len(one) for one in division) for division in divisions]
        wanted = np.zeros(3)
        for group in divisions[int(np.argmin(error))]:
            wanted[group] = indicators[group].mean()
        np.testing.assert_allclose(weights(balancer, losses), wanted, rtol=1e-5)
        balancer.update(tf.constant(losses), ALL)
    np.testing.assert_allclose(weights(prepared("go4align", groups=1), [3.0, 3, 3]), [1, 1, 1], rtol=1e-5)


@pytest.mark.parametrize("groups", [1, 2, 3, 7])
def test_groups_are_those_of_least_squared_error(groups):
    random = np.random.default_rng(groups)
    values, present = random.normal(size=6), np.array([1.0, 1, 0, 1, 1, 1])
    found = group_means(tf.constant(values), tf.constant(present), groups).numpy()
    here = np.flatnonzero(present)
    least = min(
        sum(np.var(values[here][np.array(labels) == g]) * labels.count(g) for g in set(labels))
        for labels in itertools.product(range(min(groups, 5)), repeat=5)
    )
    assert np.sum((values - found)[here] ** 2) == pytest.approx(least, abs=1e-9)
    assert found[2] == 0
    assert len(set(found[here].round(9))) <= groups
