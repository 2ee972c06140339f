"""A step's plan is a value that follows from the balancer: what is compared, where a pass is cut, how it goes back."""

import keras
import pytest

import visionmtl
from visionmtl.step.plan import Plans


def plans_of(balancing, shared=True):
    """The plans of a model of two tasks on two layers, or of two tasks that share nothing."""
    x = keras.Input((4,))
    trunk = keras.layers.Dense(4, name="last")(keras.layers.Dense(4, name="first")(x)) if shared else x
    outputs = {"a": keras.layers.Dense(1)(trunk), "b": keras.layers.Dense(1)(trunk)}
    model = keras.Model(x, outputs)
    return Plans(model, visionmtl.balancing.get(balancing), {name: [tensor] for name, tensor in outputs.items()})


@pytest.mark.parametrize(
    ("balancing", "look", "cut", "cut_between"),
    [
        ("equal", "parameters", True, False),  # it is only watched
        ("cagrad", "parameters", False, True),
        ({"method": "cagrad", "scope": "features"}, "features", True, True),
        ("graddrop", "parameters", False, True),
    ],
)
def test_a_plan_follows_from_the_balancer(balancing, look, cut, cut_between):
    plans = plans_of(balancing)
    assert (plans.comparing.look, plans.between.look) == (look, None)
    assert (plans.comparing.cut is not None, plans.between.cut is not None) == (cut, cut_between)
    assert plans.comparing.apart
    assert plans.between.apart == (balancing != "equal")
    assert plans.due is (plans.between if balancing == "equal" else plans.comparing)
    plans.compares = not plans.compares
    assert plans.due is (plans.comparing if balancing == "equal" else plans.between)


def test_a_plan_is_made_once_and_its_cut_too():
    plans = plans_of({"method": "mgda", "scope": "features"})
    assert plans.comparing is plans.comparing
    assert plans.comparing.cut is plans.between.cut


def test_who_watches_looks_at_the_last_layer_that_all_tasks_share():
    [feature] = plans_of("equal").comparing.cut.features
    assert feature._keras_history.operation.name == "first"


def test_tasks_that_share_nothing_are_never_cut():
    plans = plans_of("cagrad", shared=False)
    assert plans.comparing.cut is None
    assert plans.between.cut is None


def test_two_halves_of_a_batch_are_compared_where_the_method_wants_them():
    assert (plans_of("modo").comparing.sub_batches, plans_of("modo").between.sub_batches) == (2, 1)
