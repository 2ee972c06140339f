"""Balancers by name: made, made again from their configs, and what they refuse."""

import keras
import numpy as np
import pytest

from visionmtl import balancing
from visionmtl.balancing import catalogue
from visionmtl.errors import UsageError


@pytest.mark.parametrize("name", balancing.CLASSES)
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
        (
            lambda: balancing.get("cagrad", alpha=1),
            "'cagrad' has no hyperparameter 'alpha'. Valid: c, scope, update_every.",
        ),
        (lambda: balancing.get("cagrad", c=-1), "c=-1: expected a number of at least 0."),
        (lambda: balancing.get("cagrad", c="far"), "c='far': expected a number of at least 0."),
        (lambda: balancing.get("fairgrad", alpha=0), "alpha=0: expected a number above 0."),
        (lambda: balancing.get("pcgrad", seed="x"), "seed='x': expected a number of at least 0"),
        (lambda: balancing.get("fixed", weights=2), "weights=2: expected {task name: weight}."),
        (lambda: balancing.get("mgda", normalisation="l3"), "normalisation was 'l3'"),
        (lambda: balancing.get("fixed", weights={"a": -1}), "expected a number of at least 0"),
        (
            lambda: balancing.get("fixed", weights={"bb": 1}).prepare(["b"], [False]),
            "unknown task 'bb'. Did you mean 'b'?",
        ),
    ],
)
def test_mistakes_are_told_with_the_way_out(make, message):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        make()


def test_the_catalogue_has_every_balancer_once():
    entries = catalogue.entries()
    assert [entry.name for entry in entries] == balancing.names()
    assert {entry.family for entry in entries} == {"loss", "gradient", "elementwise"}
    assert all(entry.promise and entry.cost for entry in entries)
