"""`max_norm` of a balancer: it clips the gradient of what the tasks share, in every way a step goes, and no head."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl.step.backward import Backward
from visionmtl.step.shared_norm import limited
from visionmtl.step.update import Update

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
LABELS = {"a": X[:, :1] + 1, "b": X[:, 1:2] - X[:, 2:]}


def model_of(balancing):
    keras.utils.set_random_seed(0)
    x = keras.Input((3,))
    hidden = keras.layers.Dense(2)(keras.layers.Dense(4)(x))
    model = visionmtl.BalancedModel(x, {task: keras.layers.Dense(1, name=task)(hidden) for task in LABELS})
    model.compile(keras.optimizers.SGD(1.0), dict.fromkeys(LABELS, "mse"), balancing=balancing)
    return model


def moves(balancing, steps=1):
    """Return how the last of some steps moved what is shared, and the heads."""
    model = model_of(balancing)
    for _ in range(steps):
        before = [np.asarray(variable, "float64") for variable in model.trainable_variables]
        model.train_on_batch(X, LABELS)
    moved = [np.asarray(v) - b for v, b in zip(model.trainable_variables, before, strict=True)]
    return np.concatenate([move.ravel() for move in moved[:4]]), np.concatenate([move.ravel() for move in moved[4:]])


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"method": "nash_mtl"}, {"method": "fairgrad", "scope": "features"}, {"method": "famo"}, {"method": "sdmgrad"}],
    ids=lambda options: options["method"],
)
def test_what_is_shared_is_clipped_and_the_heads_are_not(options):
    free, heads = moves(options)
    for limit in (0.3, 1e3):
        shared, own = moves(options | {"max_norm": limit})
        np.testing.assert_allclose(shared, free * min(1, limit / np.linalg.norm(free)), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(own, heads, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_step_between_comparisons_is_clipped_too():
    shared, _ = moves({"method": "nash_mtl", "update_every": 2, "max_norm": 1e-3}, steps=2)
    assert np.linalg.norm(shared) == pytest.approx(1e-3, rel=1e-3)


def test_the_norm_is_that_of_the_gradient_unscaled_and_what_is_not_shared_stays():
    variables = [tf.Variable([0.0, 0.0]), tf.Variable(0.0), tf.Variable(0.0)]
    back = Backward([tf.constant([300.0, 400.0]), None, tf.constant(9.0)], False, tf.ones(2), None)
    clipped = limited(back, variables, variables[:2], max_norm=1.0, unit=tf.constant(100.0))
    np.testing.assert_allclose(clipped.gradients[0], [60, 80], rtol=1e-6)
    assert clipped.gradients[1] is None
    assert clipped.gradients[2] == 9
    assert limited(back, variables, variables[1:2], 1.0, tf.constant(1.0)).gradients[2] == 9


def test_a_scale_whose_square_is_infinite_changes_no_norm():
    scale = 2.0**70
    variables = [tf.Variable([0.0, 0.0])]
    back = Backward([tf.constant([3.0, 4.0]) * scale], False, tf.ones(2), None)
    clipped = limited(back, variables, variables, max_norm=1.0, unit=tf.constant(scale))
    np.testing.assert_allclose(clipped.gradients[0] / scale, [0.6, 0.8], rtol=1e-6)

    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), initial_scale=scale)
    ready = Update(optimizer, variables, clip_norm=1.0, replicas=1).ready(back.gradients, summed=False)
    np.testing.assert_allclose(ready.gradients[0] / scale, [0.6, 0.8], rtol=1e-6)
    assert float(ready.length()) == pytest.approx(5)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["nash_mtl", "famo"])
def test_two_devices_clip_like_one(method, two_devices):
    options = {"method": method, "max_norm": 0.3}
    alone, _ = moves(options, steps=2)
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    with strategy.scope():
        model = model_of(options)
    before = [np.asarray(variable) for variable in model.trainable_variables]
    data = tf.data.Dataset.from_tensor_slices((X, LABELS)).batch(8)
    for _ in range(2):
        before = [np.asarray(variable) for variable in model.trainable_variables]
        model.fit(data, verbose=0)
    moved = [np.asarray(v) - b for v, b in zip(model.trainable_variables, before, strict=True)]
    np.testing.assert_allclose(np.concatenate([move.ravel() for move in moved[:4]]), alone, atol=1e-5)
