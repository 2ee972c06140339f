"""Sums divided by what the samples of all replicas hold."""

import numpy as np
import pytest
import tensorflow as tf

from visionmtl.step.task_losses import over_amounts

SUMS, AMOUNTS, WEIGHTS = ([4.0, 8, 2, 99], [0.0, 6, 3, 77], [1.0, 1, 1, 0])  # the last sample is not labelled


def test_a_sum_is_divided_by_the_mean_amount_of_what_is_labelled():
    losses = over_amounts(*map(tf.constant, (SUMS, AMOUNTS, WEIGHTS)))
    np.testing.assert_allclose(losses[:3], np.array([4, 8, 2]) / 3)
    assert over_amounts(tf.constant([6.0]), tf.constant([0.25]), None).numpy().tolist() == [6]  # taken to hold 1


def test_each_of_several_terms_is_divided_by_its_own_amounts():
    sums, amounts = tf.constant([[4.0, 1], [8, 3]]), tf.constant([[2.0, 10], [6, 30]])
    np.testing.assert_allclose(over_amounts(sums, amounts, None), [4 / 4 + 1 / 20, 8 / 4 + 3 / 20])


def test_no_gradient_goes_back_through_amounts():
    sums, amounts = tf.constant([1.0, 2]), tf.constant([3.0, 5])
    with tf.GradientTape() as tape:
        tape.watch((sums, amounts))
        loss = tf.reduce_mean(over_amounts(sums, amounts, None))
    slopes = tape.gradient(loss, (sums, amounts))
    assert slopes[0].numpy() == pytest.approx([1 / 8, 1 / 8])
    assert slopes[1] is None


def test_two_replicas_divide_by_what_both_hold(two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices, cross_device_ops=tf.distribute.ReductionToOneDevice())
    given = [
        strategy.experimental_distribute_values_from_function(
            lambda context, values=values: tf.constant(values[2 * context.replica_id_in_sync_group :][:2], tf.float32)
        )
        for values in (SUMS, AMOUNTS, WEIGHTS)
    ]
    parts = strategy.experimental_local_results(tf.function(lambda: strategy.run(over_amounts, given))())
    alone = over_amounts(*map(tf.constant, (SUMS, AMOUNTS, WEIGHTS)))
    np.testing.assert_allclose(tf.concat(parts, axis=0), alone, rtol=1e-6)
