"""Half precision trains to the loss of float32, on one device and on two."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import few
from scoped_models import model_of, table

BALANCING = {"together": "uncertainty", "apart": {"method": "cagrad", "scope": "features"}}


@pytest.mark.slow
@pytest.mark.parametrize("way", few(BALANCING, keep=["apart"]))
def test_every_precision_trains_to_the_same_loss(way):
    found = {}
    for policy in ("float32", "mixed_bfloat16", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        try:
            model = model_of(BALANCING[way], rate=0.05)
        finally:
            keras.config.set_dtype_policy("float32")
        scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        assert scaled == (policy == "mixed_float16")
        x, labels = table()
        losses = model.fit(x, labels, 8, 15, shuffle=False, verbose=0).history
        found[policy] = [[losses[f"{task}_loss"][epoch] for task in "abc"] for epoch in (0, -1)]
        assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    first, last = np.array(found["float32"])
    assert last.sum() < 0.5 * first.sum()
    for policy in ("mixed_bfloat16", "mixed_float16"):
        np.testing.assert_allclose(np.sum(found[policy][-1]), last.sum(), rtol=0.1)


@pytest.mark.slow
def test_float16_over_two_replicas_trains_to_the_loss_of_float32_and_both_take_one_scale(two_devices):
    losses = []
    for policy in ("float32", "mixed_float16"):
        half, scope, optimizer = policy == "mixed_float16", contextlib.nullcontext(), None
        if half:
            strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
            scope = strategy.scope()
        keras.config.set_dtype_policy(policy)
        try:
            with scope:
                if half:  # which is too much, and is so again after some steps
                    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), 2.0**22, 40)
                model = model_of({"method": "cagrad", "update_every": 2}, 0.05, optimizer=optimizer)
        finally:
            keras.config.set_dtype_policy("float32")
        x, labels = table()
        x[0] *= 8  # all on the first replica, where alone a gradient overflows
        losses.append(model.fit(x, labels, 8, 60, shuffle=False, verbose=0).history["loss"])
    assert losses[0][-1] < 0.5 * losses[0][0]
    np.testing.assert_allclose(losses[1][-1], losses[0][-1], rtol=0.1)
    steps, taken = 60 * 4, int(model.optimizer.inner_optimizer.iterations.numpy())
    assert steps / 2 < taken < steps - 4
    for variable in model.trainable_variables:
        one, two = (np.asarray(part) for part in variable.value.values)
        np.testing.assert_array_equal(one, two)
