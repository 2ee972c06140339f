"""Loss balancers: their numbers, worked out apart."""

import numpy as np
import pytest
import tensorflow as tf
from loss_problems import ALL, LOSSES, prepared, softmax, weights

from visionmtl import balancing


def test_equal_weighs_every_task_with_one():
    balancer = prepared("equal")
    assert balancer.scalarise(tf.constant(LOSSES, tf.float32), ALL) == 7
    assert balancer.weights_of(tf.constant(LOSSES, tf.float32), ALL).numpy().tolist() == [1, 1, 1]


def test_fixed_uses_the_given_weights_and_one_for_the_rest():
    balancer = prepared("fixed", weights={"b": 0.5, "c": 0})
    assert balancer.scalarise(tf.constant(LOSSES, tf.float32), ALL) == 2
    assert balancer.weights_of(tf.constant(LOSSES, tf.float32), ALL).numpy().tolist() == [1, 0.5, 0]


def test_uncertainty_weighs_with_the_learnt_precision():
    balancer = prepared("uncertainty")
    balancer.weighting.log_variance.assign([0.5, -1.0, 0.0])
    expected = [np.exp(-0.5), np.exp(1.0) / 2, 1]
    np.testing.assert_allclose(balancer.weights_of(tf.constant(LOSSES, tf.float32), ALL), expected, rtol=1e-6)
    total = np.dot(expected, LOSSES) + (0.5 - 1.0) / 2
    assert float(balancer.scalarise(tf.constant(LOSSES, tf.float32), ALL)) == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize(
    ("present", "expected"), [([1, 1, 1], [1.3, 2.0, 0.6]), ([1, 0, 1], [0.6, 0, 0.6]), ([1, 0, 0], [8.0, 0, 0])]
)
def test_a_task_weighs_at_most_so_many_times_the_mean_of_the_others(present, expected):
    balancer, free = (prepared("uncertainty", largest_weight=most) for most in (1.0, None))
    present, losses = tf.constant(present, tf.float32), tf.constant(LOSSES, tf.float32)
    for each in (balancer, free):
        each.weighting.log_variance.assign(-np.log([8.0, 4.0, 0.6]))  # the second is a regression's, at a half
    np.testing.assert_allclose(balancer.weights_of(losses, present), expected, rtol=1e-5)
    np.testing.assert_allclose(free.weights_of(losses, present), np.array([8.0, 2.0, 0.6]) * present, rtol=1e-5)


def test_a_bound_on_weights_is_in_the_number_and_leaves_what_the_balancer_learns():
    slopes, numbers = [], []
    for most in (1.0, None):
        balancer = prepared("uncertainty", largest_weight=most)
        balancer.weighting.log_variance.assign([-3.0, 0.0, 1.0])
        with tf.GradientTape() as tape:
            total, weights = balancer.total(tf.constant(LOSSES, tf.float32), ALL)
        slopes.append(tape.gradient(total, balancer.weighting.log_variance.value))
        numbers.append(float(total) - np.dot(weights, LOSSES))
        assert float(balancer(LOSSES)) == pytest.approx(float(total))
    np.testing.assert_array_equal(*slopes)
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-5)


@pytest.mark.parametrize("name", balancing.LOSSES)
def test_a_task_without_labels_weighs_nothing_and_moves_nothing(name):
    balancer = prepared(name)
    present = tf.constant([1.0, 0.0, 1.0])
    losses = tf.constant(LOSSES, tf.float32) * present
    with tf.GradientTape() as tape:
        total = balancer.scalarise(losses, present)
    assert balancer.weights_of(losses, present)[1] == 0
    for slope in tape.gradient(total, [variable.value for variable in balancer.trainable_variables]):
        assert slope[1] == 0


def test_gls_weighs_with_the_geometric_mean_over_k_times_the_loss():
    mean = (1.0 * 2 * 4) ** (1 / 3)
    np.testing.assert_allclose(weights(prepared("gls")), mean / (3 * LOSSES), rtol=1e-5)
    absent = weights(prepared("gls"), LOSSES * [1, 0, 1], tf.constant([1.0, 0, 1]))
    np.testing.assert_allclose(absent, [2 / 2, 0, 2 / 8], rtol=1e-5)


def test_rlw_draws_weights_of_sum_k_that_differ_from_step_to_step_and_follow_from_the_seed():
    first, same, other = prepared("rlw"), prepared("rlw"), prepared("rlw", seed=1)
    drawn = weights(first)
    assert drawn.sum() == pytest.approx(3, rel=1e-5)
    np.testing.assert_array_equal(drawn, weights(same))
    assert np.abs(drawn - weights(other)).max() > 1e-3
    first.update(tf.constant(LOSSES, tf.float32), ALL)
    assert np.abs(drawn - weights(first)).max() > 1e-3
    np.testing.assert_array_equal(weights(first, training=False), [1, 1, 1])


def test_rlw_draws_are_a_softmax_of_normals():
    balancer, logs = prepared("rlw"), []
    for _ in range(300):
        drawn = np.log(weights(balancer))
        logs.append(drawn[0] - drawn[1])
        balancer.update(tf.constant(LOSSES, tf.float32), ALL)
    assert np.mean(logs) == pytest.approx(0, abs=0.25)
    assert np.std(logs) == pytest.approx(np.sqrt(2), rel=0.15)


def test_dwa_is_equal_for_two_epochs_and_then_favours_the_slower_task():
    balancer = prepared("dwa")
    epochs = [[[1.0, 2, 4], [3.0, 2, 4]], [[1.0, 2, 2], [1.0, 2, 0]], [[1.0, 1, 1]]]
    for number, epoch in enumerate(epochs):
        for losses in epoch:
            if number < 2:
                np.testing.assert_allclose(weights(balancer), [1, 1, 1], rtol=1e-6)
            balancer.update(tf.constant(losses), ALL)
        if number < 2:
            balancer.end_epoch()
    # Means of the epochs: 2, 2, 4 and then 1, 2, 1.
    np.testing.assert_allclose(weights(balancer), 3 * softmax(np.array([0.5, 1, 0.25]) / 2), rtol=1e-5)


def test_dwa_counts_only_the_steps_in_which_a_task_has_labels():
    balancer = prepared("dwa")
    for losses in ([4.0, 2, 2], [2.0, 2, 2]):
        balancer.update(tf.constant(losses), ALL)
        balancer.update(tf.constant([0.0, 2, 2]), tf.constant([0.0, 1, 1]))
        balancer.end_epoch()
    np.testing.assert_allclose(weights(balancer), 3 * softmax(np.array([0.5, 1, 1]) / 2), rtol=1e-5)


def test_stch_takes_logs_while_it_warms_up_and_a_smooth_maximum_of_what_is_left_after():
    balancer = prepared("stch", smoothing=0.5, warmup_epochs=2)
    balancer.update(tf.constant([50.0, 60, 70]), ALL)  # of the first epoch, in which losses fall fastest
    balancer.end_epoch()
    np.testing.assert_allclose(weights(balancer), 1 / LOSSES, rtol=1e-5)
    for losses in ([1.0, 2, 4], [3.0, 2, 4]):
        balancer.update(tf.constant(losses), ALL)
    balancer.end_epoch()
    balancer.update(tf.constant([9.0, 9, 9]), ALL)  # the scale stands
    fractions = softmax(np.log(LOSSES / [2, 2, 4]) / 0.5)
    np.testing.assert_allclose(weights(balancer), 3 * fractions / LOSSES, rtol=1e-5)


def test_stch_multiplies_what_is_left_by_the_preference():
    balancer = prepared("stch", smoothing=0.5, warmup_epochs=0, preference={"b": 3, "c": 0})
    fractions = LOSSES**2 * [1, 9, 0]  # exp(log(preference * L) / 0.5)
    np.testing.assert_allclose(weights(balancer), 3 * fractions / fractions.sum() / LOSSES, rtol=1e-5)


def test_imtl_l_scales_a_loss_to_one_where_its_scale_is_at_rest():
    balancer = prepared("imtl_l")
    balancer.log_scale.assign(-np.log(LOSSES))
    np.testing.assert_allclose(weights(balancer), 1 / LOSSES, rtol=1e-6)
    with tf.GradientTape() as tape:
        total = balancer.scalarise(tf.constant(LOSSES, tf.float32), ALL)
    np.testing.assert_allclose(tape.gradient(total, balancer.log_scale.value), 0, atol=1e-6)


def test_learned_weights_sum_to_k_and_rest_where_the_regulariser_says():
    balancer, losses = prepared("learned", strength=0.7), tf.constant(LOSSES, tf.float32)

    @tf.function
    def descend():
        with tf.GradientTape() as tape:
            total = balancer.scalarise(losses, ALL)
        balancer.logits.assign_sub(0.3 * tape.gradient(total, balancer.logits.value))

    for _ in range(300):
        descend()
    learnt = weights(balancer)
    assert learnt.sum() == pytest.approx(3, rel=1e-4)
    # At rest w_k (L_k - sum_j w_j L_j / K) = strength (1 - w_k): a bisection over the middle term m gives w.
    low, high = 0.0, 4.0
    for _ in range(100):
        middle = (low + high) / 2
        rest = 0.7 / np.maximum(LOSSES - middle + 0.7, 1e-9)
        low, high = (low, middle) if rest.sum() > 3 else (middle, high)
    np.testing.assert_allclose(learnt, rest, atol=5e-3)


def test_bayesian_is_the_evidence_lower_bound():
    balancer = prepared("bayesian", prior_spread=0.5, kl_weight=0.1)
    mean, spread = np.array([0.3, -0.2, 0.0]), np.array([0.1, 0.4, 0.5])
    balancer.mean.assign(mean)
    balancer.log_spread.assign(np.log(spread))
    factors = np.array([1, 0.5, 1])
    np.testing.assert_allclose(weights(balancer, training=False), factors * np.exp(-mean), rtol=1e-5)
    # The divergence of two normals by summing over a grid.
    grid = np.linspace(-8, 8, 400_001)[:, None]
    ours = np.exp(-(((grid - mean) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
    logs = -(((grid - mean) / spread) ** 2) / 2 - np.log(spread) + (grid / 0.5) ** 2 / 2 + np.log(0.5)
    divergence = (ours * logs).sum(axis=0) * (grid[1] - grid[0])
    expected = (LOSSES * factors * np.exp(-mean) + mean / 2 + 0.1 * divergence).sum()
    total = balancer.scalarise(tf.constant(LOSSES, tf.float32), ALL)
    assert float(total) == pytest.approx(expected, rel=1e-5)


def test_bayesian_draws_from_its_posterior_and_logs_it():
    balancer, drawn = prepared("bayesian"), []
    balancer.mean.assign([0.5, 0.5, 0.5])
    balancer.log_spread.assign(np.log([0.2, 0.2, 0.2]))
    for _ in range(200):
        drawn.append(-np.log(weights(balancer) / [1, 0.5, 1]))
        balancer.update(tf.constant(LOSSES, tf.float32), ALL)
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.03)
    assert np.std(drawn) == pytest.approx(0.2, rel=0.1)
    logs = balancer.logs()
    assert float(logs["balancing/mean/b"]) == pytest.approx(0.5)
    assert float(logs["balancing/spread/c"]) == pytest.approx(0.2)


def test_famo_weighs_by_the_inverse_loss_and_lowers_what_fell_most():
    balancer = prepared("famo", learning_rate=0.1, decay=0.5)
    inverse = 1 / LOSSES
    np.testing.assert_allclose(weights(balancer), 3 * inverse / inverse.sum(), rtol=1e-5)

    logits, first, second = np.zeros(3), np.zeros(3), np.zeros(3)
    for step, after in enumerate(([0.5, 1.9, 3.9], [0.6, 1.0, 3.9], [0.9, 1.9, 1.0]), 1):
        fractions = softmax(logits)
        jacobian = np.diag(fractions) - np.outer(fractions, fractions)
        slope = jacobian @ np.log(LOSSES / after) + 0.5 * logits
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        logits = logits - 0.1 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        balancer.look_back(tf.constant(LOSSES, tf.float32), tf.constant(after, tf.float32), ALL)
        np.testing.assert_allclose(balancer.logits, logits, rtol=1e-3, atol=1e-5)
    raw = softmax(logits) / LOSSES
    np.testing.assert_allclose(weights(balancer), 3 * raw / raw.sum(), rtol=1e-4)


@pytest.mark.parametrize("name", balancing.LOSSES)
def test_no_label_at_all_gives_zero_and_nothing_that_is_no_number(name):
    balancer = prepared(name)
    zeros = tf.zeros(3)
    assert float(balancer.scalarise(zeros, zeros, training=True)) == 0
    np.testing.assert_array_equal(weights(balancer, zeros, zeros), [0, 0, 0])
    balancer.update(zeros, zeros)
    balancer.look_back(zeros, zeros, zeros)
    balancer.end_epoch()
    for variable in balancer.variables:
        assert np.isfinite(np.asarray(variable)).all(), variable.path
    assert np.isfinite(weights(balancer)).all()
