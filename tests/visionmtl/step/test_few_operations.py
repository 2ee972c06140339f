"""The update in few operations: to the bit that of Keras, which makes many."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from visionmtl.step import rates
from visionmtl.step.few_operations import apply_gradients, can_wait
from visionmtl.step.optimizing import inner

SHAPES = ((), (3,), (3, 5, 7))


class Own(keras.optimizers.Adam):
    """Somebody's optimizer, which only looks like Adam."""

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, keras.ops.sign(gradient) * learning_rate)


def schedule() -> keras.optimizers.schedules.LearningRateSchedule:
    return keras.optimizers.schedules.CosineDecay(0.0, 100, warmup_target=0.01, warmup_steps=3)


OPTIMIZERS = {
    "adamw": lambda: keras.optimizers.AdamW(schedule(), weight_decay=0.05, use_ema=True, ema_momentum=0.9),
    "sgd": lambda: keras.optimizers.SGD(schedule(), momentum=0.9, nesterov=True, weight_decay=0.05),
    "plain sgd": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=2),
    "accumulating": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=2, global_clipnorm=1.0),
    "scaling the loss": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01, clipnorm=1.0)),
    "amsgrad": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "somebody's": lambda: Own(0.01),
}


def trained(make, apply, fractions=()) -> tuple[list[np.ndarray], int]:
    """Return what four steps make of variables and of an optimizer's state, and how many operations a step has."""
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=shape).astype("float32"), name=f"v{len(shape)}") for shape in SHAPES]
    optimizer = make()
    optimizer.exclude_from_weight_decay(variables[:1])
    optimizer.build(variables)
    rates.scale(inner(optimizer), zip(variables, fractions, strict=False))

    @tf.function(reduce_retracing=True)
    def step(gradients):
        apply(optimizer, zip(gradients, variables, strict=True))

    for _ in range(4):
        step([tf.constant(random.normal(size=shape).astype("float32")) for shape in SHAPES])
    (traced,) = step._list_all_concrete_functions()
    return [v.numpy() for v in [*variables, *optimizer.variables]], len(traced.graph.get_operations())


@pytest.mark.parametrize("fractions", [(), (1.0, 0.3, 0.09)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_is_to_the_bit_that_of_keras(name, fractions):
    expected, _ = trained(OPTIMIZERS[name], lambda optimizer, pairs: optimizer.apply_gradients(pairs), fractions)
    found, _ = trained(OPTIMIZERS[name], apply_gradients, fractions)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_update_takes_far_fewer_operations_than_keras_makes():
    _, many = trained(OPTIMIZERS["adamw"], lambda optimizer, pairs: optimizer.apply_gradients(pairs))
    _, few = trained(OPTIMIZERS["adamw"], apply_gradients)
    assert few < 0.6 * many


@pytest.mark.parametrize("name", ["adamw", "sgd", "plain sgd", "scaling the loss", "somebody's"])
def test_an_update_that_is_not_to_be_leaves_no_trace(name):
    def skipping(optimizer, pairs):
        pairs = list(pairs)
        waits = can_wait(optimizer, [variable for _, variable in pairs])
        assert waits == (name in {"adamw", "sgd"})  # around the others Keras moves something by itself
        if waits:
            wrong = [(gradient * np.nan, variable) for gradient, variable in pairs]
            apply_gradients(optimizer, wrong, go=tf.constant(False))
        apply_gradients(optimizer, pairs, go=tf.constant(True) if waits else None)

    expected, _ = trained(OPTIMIZERS[name], lambda optimizer, pairs: optimizer.apply_gradients(pairs))
    found, _ = trained(OPTIMIZERS[name], skipping)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_constraint_lets_no_update_wait():
    variable = keras.Variable([1.0], name="v")
    optimizer = keras.optimizers.AdamW()
    optimizer.build([variable])
    assert can_wait(optimizer, [variable])
    variable.constraint = keras.constraints.NonNeg()
    assert not can_wait(optimizer, [variable])
