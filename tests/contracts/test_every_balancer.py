"""Every balancer through its contract: named as its file, told its hyperparameters, made again, and what it costs."""

import re
from pathlib import Path

import interruptions
import keras
import pytest

from visionmtl import balancing
from visionmtl.balancing import method
from visionmtl.balancing.hyperparameters import Choice, Number, NumberOrNone
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


def refused(declared):
    """Return values outside of what a hyperparameter may be: beside its bounds, and of another type."""
    if isinstance(declared, Number):
        yield from ("far", True, float("nan"))
        yield from () if isinstance(declared, NumberOrNone) else (None,)
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


@pytest.mark.parametrize("name", balancing.names())
def test_a_balancer_says_its_equation_and_when_to_take_it(name):
    method = balancing.BALANCERS[name]
    assert re.search(r"\b[LwgG](_\w+)?\b", method.equation), "of a loss, the weights, the gradients or their Gramian"
    assert re.match(r"(first|where|as|instead)\b.*[^.]$", method.when), "a clause"


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


# A plain one, ones that learn, look back, draw at random, keep means of gradients, and one of sub-batches: what a file
# keeps of every other one is tested where every balancer goes on from its file, in step/test_balancing_in_training.py.
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["equal", "uncertainty", "bayesian", "dwa", "famo", "rlw", "gradnorm", "modo", "db_mtl"]
)
def test_a_training_stopped_at_a_step_becomes_what_it_would_have_become(name, tmp_path):
    interruptions.check(tmp_path, lambda: interruptions.model_of(name))
