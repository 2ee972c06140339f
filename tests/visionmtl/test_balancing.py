"""Balancers by name: what they add up, what they weigh, and what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from visionmtl import balancing
from visionmtl.errors import UsageError

ALL = tf.ones(3)
LOSSES = tf.constant([1.0, 2.0, 4.0])


def _prepared(name, **hyperparameters):
    balancer = balancing.get(name, **hyperparameters)
    balancer.prepare(["a", "b", "c"], [False, True, False])
    return balancer


def test_equal_weighs_every_task_with_one():
    balancer = _prepared("equal")
    assert balancer.scalarise(LOSSES, ALL) == 7
    assert balancer.weights_of(LOSSES, ALL).numpy().tolist() == [1, 1, 1]


def test_fixed_uses_the_given_weights_and_one_for_the_rest():
    balancer = _prepared("fixed", weights={"b": 0.5, "c": 0})
    assert balancer.scalarise(LOSSES, ALL) == 2
    assert balancer.weights_of(LOSSES, ALL).numpy().tolist() == [1, 0.5, 0]


def test_uncertainty_weighs_with_the_learnt_precision():
    balancer = _prepared("uncertainty")
    balancer.weighting.log_variance.assign([0.5, -1.0, 0.0])
    expected = [np.exp(-0.5), np.exp(1.0) / 2, 1]
    np.testing.assert_allclose(balancer.weights_of(LOSSES, ALL), expected, rtol=1e-6)
    total = np.dot(expected, LOSSES) + (0.5 - 1.0) / 2
    assert float(balancer.scalarise(LOSSES, ALL)) == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("name", balancing.LOSSES)
def test_a_task_without_labels_weighs_nothing_and_moves_nothing(name):
    balancer = _prepared(name)
    present = tf.constant([1.0, 0.0, 1.0])
    losses = LOSSES * present
    with tf.GradientTape() as tape:
        total = balancer.scalarise(losses, present)
    assert balancer.weights_of(losses, present)[1] == 0
    for slope in tape.gradient(total, [variable.value for variable in balancer.trainable_variables]):
        assert slope[1] == 0


@pytest.mark.parametrize("name", balancing.LOSSES)
def test_a_balancer_is_made_again_from_its_config(name):
    balancer = balancing.get(name)
    assert type(balancer).from_config(balancer.get_config()).get_config() == balancer.get_config()
    assert balancing.get({"method": name}).get_config().keys() == balancer.get_config().keys()
    assert balancing.get(balancer) is balancer


@pytest.mark.parametrize("name", balancing.METHODS)
def test_a_gradient_balancer_is_made_again_from_its_config(name):
    balancer = balancing.get(name)
    again = type(balancer).from_config(balancer.get_config())
    matrix = np.array([[4.0, -1, 0.5], [-1, 1, 0.2], [0.5, 0.2, 2]])
    np.testing.assert_array_equal(balancer.weights(matrix), again.weights(matrix))


def test_a_hyperparameter_reaches_the_method():
    matrix = np.array([[4.0, -1], [-1, 1]])
    near, far = (balancing.get({"method": "cagrad", "c": c}).weights(matrix).numpy() for c in (0.1, 0.9))
    assert np.abs(near - far).max() > 0.01
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(balancing.get("cagrad", c=0.9)))
    np.testing.assert_array_equal(copy.weights(matrix), far)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: balancing.get("uncertanty"), "Did you mean 'uncertainty'"),
        (lambda: balancing.get("fixed", weight={}), "Did you mean 'weights'"),
        (lambda: balancing.get("cagrad", alpha=1), "'cagrad' has no hyperparameter 'alpha'. Valid: c."),
        (lambda: balancing.get("cagrad", c=-1), "c"),
        (lambda: balancing.get("mgda", normalisation="l3"), "normalisation was 'l3'"),
        (lambda: balancing.get("fixed", weights={"a": -1}), "expected a number of at least 0"),
        (lambda: _prepared("fixed", weights={"bb": 1}), "unknown task 'bb'. Did you mean 'b'?"),
    ],
)
def test_mistakes_are_told_with_the_way_out(make, message):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        make()
