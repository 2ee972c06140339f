"""The merging of task gradients that are too large for the cache."""

import numpy as np
import tensorflow as tf

from visionmtl.balancing import task_gradients


def test_large_gradients_are_summed_as_small_ones_are():
    random = np.random.default_rng(0)
    rows = {task: random.normal(size=(3, task_gradients.FUSED)).astype("float32") for task in (0, 2)}
    weights = tf.constant([0.5, 7.0, 2.0])
    merge = tf.function(task_gradients.weighted_sum)
    total = merge({task: tf.constant(row) for task, row in rows.items()}, weights)
    np.testing.assert_allclose(total, 0.5 * rows[0] + 2.0 * rows[2], rtol=1e-6, atol=1e-6)
