"""Every balancer there is: named as its file, made, made again from its config, and what it refuses."""

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest

from visionmtl import balancing
from visionmtl.balancing import catalogue, method
from visionmtl.balancing.hyperparameters import Choice, Number
from visionmtl.errors import UsageError

DECLARED = [(name, each) for name in balancing.names() for each in balancing.options(name).values()]
IDS = [f"{name}-{declared.name}" for name, declared in DECLARED]


def test_the_names_are_those_of_the_files():
    folder = Path(balancing.__file__).parent
    files = {file.stem for part in ("losses", "gramian", "elementwise") for file in (folder / part).glob("*.py")}
    assert set(balancing.names()) < files
    assert len(balancing.names()) == len(set(balancing.names()))


@pytest.mark.parametrize("name", balancing.names())
def test_a_balancer_is_made_again_from_its_config(name):
    balancer = balancing.get(name)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(balancer))
    assert type(again) is type(balancer)
    assert again.get_config() == balancer.get_config()
    assert balancing.get({"method": name}).get_config().keys() == balancer.get_config().keys()
    assert balancing.get(balancer) is balancer


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


def refused(declared):
    """Return values outside of what a hyperparameter may be: beside its bounds, and of another type."""
    if isinstance(declared, Number):
        yield from ("far", True, None, float("nan"))
        yield from (bound for bound in (declared.above, declared.below) if bound is not None)
        if declared.at_least is not None:
            yield declared.at_least - 1
        if declared.up_to is not None:
            yield declared.up_to + 1
        if declared.whole:
            yield declared.default + 0.5
    elif isinstance(declared, Choice):
        yield from ("nowhere", None, 1)
    else:
        yield 2


@pytest.mark.parametrize(("name", "declared"), DECLARED, ids=IDS)
def test_a_hyperparameter_keeps_to_its_range_and_stands_in_the_config(name, declared):
    for value in refused(declared):
        with pytest.raises(UsageError) as told:
            balancing.get(name, **{declared.name: value})
        given = f"balancing '{name}' was given {declared.name}={value!r}"
        assert str(told.value) == f"{given}: expected {declared.expected}."
    assert declared.allows(declared.default)
    assert balancing.get(name, **{declared.name: declared.default}).get_config()[declared.name] == declared.default
    assert declared.meaning


@pytest.mark.parametrize("name", balancing.names())
def test_an_unknown_hyperparameter_is_told_the_known_ones(name):
    valid = ", ".join(balancing.options(name)) or "none"
    with pytest.raises(UsageError, match=f"'{name}' has no hyperparameter 'colour'.*Valid: {valid}."):
        balancing.get(name, colour=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: balancing.get("uncertanty"), "Did you mean 'uncertainty'"),
        (lambda: balancing.GradientBalancer("cagrd"), "Did you mean 'cagrad'"),
        (lambda: balancing.get("fixed", weight={}), "Did you mean 'weights'"),
        (lambda: balancing.get("bayesian", prior_spred=1), "Did you mean 'prior_spread'"),
        (
            lambda: balancing.get("cagrad", alpha=1),
            "'cagrad' has no hyperparameter 'alpha'. Valid: c, scope, update_every.",
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
    assert "Neither for db_mtl and graddrop. For gradnorm and excess_mtl with scope=parameters" in catalogue.NOTE


@pytest.mark.parametrize("name", balancing.names())
def test_the_cost_is_what_a_balancer_asks_of_a_step(name):
    balancer = balancing.get(name)
    asks = {
        None: method.LOOKS_BACK if balancer.looks_back else method.ONE_PASS,
        "features": method.K_HEADS,
        "parameters": method.HALVES if balancer.sub_batches == 2 else method.K_PASSES,
    }
    assert balancing.BALANCERS[name].cost == asks[balancer.scope]
    assert balancer.apart == (balancing.BALANCERS[name].family != "loss")
