"""Balancers by name: what reaches them, what they refuse, and the catalogue."""

import itertools

import keras
import numpy as np
import pytest

from visionmtl import balancing
from visionmtl.balancing import catalogue
from visionmtl.errors import UsageError


@pytest.mark.parametrize("name", balancing.METHODS)
def test_a_gradient_balancer_made_again_weighs_alike(name):
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
        (lambda: balancing.GradientBalancer("cagrd"), "Did you mean 'cagrad'"),
        (lambda: balancing.get("fixed", weight={}), "Did you mean 'weights'"),
        (lambda: balancing.get("bayesian", prior_spred=1), "Did you mean 'prior_spread'"),
        (
            lambda: balancing.get("cagrad", alpha=1),
            "'cagrad' has no hyperparameter 'alpha'. Valid: c, scope, update_every, averaging.",
        ),
        (lambda: balancing.GradientBalancer("cagrad", alpha=1), "'cagrad' has no hyperparameter 'alpha'"),
        (lambda: balancing.get("cagrad", c=-1), "c=-1: expected a number of at least 0."),
        (lambda: balancing.get("famo", decay=2), "decay=2: expected a number above 0 and up to 1."),
        (lambda: balancing.get("db_mtl", beta=1), "beta=1: expected a number of at least 0 and below 1."),
        (lambda: balancing.get("stch", warmup_epochs=1.5), "warmup_epochs=1.5: expected a whole number of at least 0."),
        (lambda: balancing.get("mgda", normalisation="l3"), "normalisation='l3': expected none, l2, loss or loss"),
        (lambda: balancing.get("mgda", normalisation="loss").weights(np.eye(2)), "'loss' needs losses"),
        (lambda: balancing.get("fixed", weights=2), "weights=2: expected {task name: weight}, each weight a number"),
        (lambda: balancing.get("fixed", weights={"a": -1}), "each weight a number of at least 0."),
        (
            lambda: balancing.get("fixed", weights={"bb": 1}).prepare(["b"], [False]),
            "unknown task 'bb'. Did you mean 'b'?",
        ),
        (
            lambda: balancing.get("upgrad", preference={"bb": 1}).prepare(["b"], [False]),
            "a preference for unknown task 'bb'. Did you mean 'b'?",
        ),
        (
            lambda: balancing.get("stch", preference={"b": -1}),
            "expected {task name: preference}, each preference a num",
        ),
        (
            lambda: balancing.get("config", preference={"b": 0}).prepare(["b"], [False]),
            "the preference 0 for every task: let one be above 0.",
        ),
        (lambda: balancing.get("db_mtl", update_every=2), "no hyperparameter 'update_every'"),
        (lambda: balancing.get("db_mtl", scope="features"), "gradient of each parameter.*leave scope out"),
        (lambda: balancing.get("modo", scope="features"), "two halves of a batch.*leave scope out"),
    ],
)
def test_mistakes_are_told_with_the_way_out(make, message):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        make()


def test_the_catalogue_has_every_balancer_once():
    entries = catalogue.entries()
    assert [entry.name for entry in entries] == balancing.names()
    assert [family for family, _ in itertools.groupby(entry.family for entry in entries)] == [
        "loss", "gradient", "elementwise",
    ]  # fmt: skip
    assert all(entry.promise and entry.cost for entry in entries)
    assert "but for db_mtl, moco, 1 backward of the backbone" in catalogue.NOTE
    assert (
        "but for db_mtl, graddrop, moco, 1 backward. For gradnorm, imtl, excess_mtl with scope=parameters"
        in catalogue.NOTE
    )
