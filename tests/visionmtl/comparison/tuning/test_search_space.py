"""What `--search` lets be drawn, and the sentence where that is nothing."""

import optuna
import pytest

from visionmtl import recipe as recipes
from visionmtl.comparison.tuning import dimensions, space
from visionmtl.comparison.tuning.dimensions import Choices, Range
from visionmtl.errors import UsageError

optuna.logging.set_verbosity(optuna.logging.WARNING)


def spaces(*search, changes=()):
    return space.parse(search, recipes.load("garments", changes))


def drawn(of, number=12):
    """What a space draws, so many times."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [of.draw(study.ask()) for _ in range(number)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-4..1e-2", Range(1e-4, 1e-2, True)),
        ("0.1..0.9", Range(0.1, 0.9, False)),
        ("0.1..1.0", Range(0.1, 1.0, True)),
        ("0..1e-2", Range(0.0, 1e-2, False)),
        ("5..20", Range(5, 20, False)),
        ("2..64", Range(2, 64, True)),
        ("linear:2..64", Range(2, 64, False)),
        ("log:0.5..2", Range(0.5, 2.0, True)),
        ("-1..1", Range(-1, 1, False)),
        ("equal,pcgrad", Choices({"equal": "equal", "pcgrad": "pcgrad"})),
        ("true, false", Choices({True: True, False: False})),
        ("null,0.998", Choices({None: None, 0.998: 0.998})),
        ("1e-3,3e-3", Choices({0.001: 0.001, 0.003: 0.003})),
        ("../a,../b", Choices({"../a": "../a", "../b": "../b"})),
        ("'true','null'", Choices({"true": "true", "null": "null"})),
        ("[64, 64],[96, 96]", Choices({"[64, 64]": [64, 64], "[96, 96]": [96, 96]})),
        ("null,{flip: true}", Choices({"null": None, "{flip: true}": {"flip": True}})),
    ],
)
def test_what_is_written_is_what_may_be_drawn(text, expected):
    assert dimensions.parse(text, text) == expected


@pytest.mark.parametrize(
    ("search", "sentence"),
    [
        ("training.learning_rate", "is not of the form key=values"),
        ("training.learning_rate=1e-3", "nothing to choose from"),
        ("training.learning_rate=1e-3,", "nothing to choose from"),
        ("training.learning_rate=1e-2..1e-4", "the range is empty"),
        ("training.learning_rate=log:0..1", "has no logarithm"),
        ("training.epochs=1..many", "expected a range of two numbers"),
        ("training.learning_rate=1e-4...1e-2", "expected a range of two numbers"),
        ("training.optimizer=sgd,sgd", "a value is there twice"),
        ("balancing.method=equal,pcgrd", "Did you mean 'pcgrad'?"),
        ("model.sharing=hard,mtam", "Did you mean 'mtan'?"),
        ("balancing.c=0.1..0.9", "uncertainty takes no 'c'"),
        ("balancing.cagrad.c=0.1..0.9", "'cagrad' is not drawn"),
        ("balancing.weights=simplex", "uncertainty takes no 'weights'"),
        ("training.monitor=val_score,val_loss", "is the same for all"),
        ("tasks=[detection],[segmentation]", "is the same for all"),
        ("training.epochs=simplex", "simplex draws the weights of tasks"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(search, sentence):
    with pytest.raises(UsageError, match=sentence.replace("?", r"\?")):
        spaces(search)


def test_the_option_of_a_task_needs_a_recipe_that_names_the_tasks():
    with pytest.raises(UsageError, match="names no tasks"):
        spaces("tasks.segmentation.dice=0.5..4.0", changes=["tasks=null"])


def test_two_searches_of_one_key_are_refused():
    method = "balancing.method=cagrad,equal"
    with pytest.raises(UsageError, match="draw the same key"):
        spaces(method, "balancing.c=0.1..0.2", "balancing.cagrad.c=0.1..0.9")


def test_a_key_and_one_within_it_are_not_both_drawn():
    with pytest.raises(UsageError, match="draw the same key"):
        spaces("data.augmentation=null,{flip: 0.5}", "data.augmentation.flip=0.1..0.9")
    with pytest.raises(UsageError, match="draw the same key"):
        spaces("balancing.weights=simplex", "balancing.weights.detection=0.5..4", changes=["balancing.method=fixed"])


def test_the_weight_of_one_task_is_drawn_beside_the_methods_that_take_weights():
    of = spaces("balancing.weights.detection=0.5..4", "balancing.method=fixed,equal")
    for values in drawn(of):
        taken = recipes.load("garments", of.overrides(values)).balancing
        assert ("weights" in taken.options) == (taken.method == "fixed")
        if taken.method == "fixed":
            assert taken.options["weights"] == {"detection": values["balancing.weights.detection"]}


def test_a_range_of_fractions_for_what_takes_whole_numbers_is_refused_before_the_first_trial():
    of = spaces("training.epochs=1e0..1e1")
    refused = 0
    for values in of.examples():
        try:
            recipes.load("garments", of.overrides(values))
        except UsageError as error:
            refused += "training.epochs" in str(error)
    assert refused == 1, "both ends are whole, what lies between is not"


@pytest.mark.parametrize("text", ["true", "null", "no", "pcgrad", "runs/a-1", "1e-3"])
def test_a_text_is_written_so_that_it_is_read_as_one(text):
    assert recipes.load("garments", [f"data.source={dimensions.text_of(text)}"]).data.source == text


def test_a_hyperparameter_counts_beside_the_methods_that_take_it():
    of = spaces("balancing.c=0.1..0.9", "balancing.method=equal,cagrad,pcgrad")
    draws = drawn(of)
    assert {each["balancing.method"] for each in draws} == {"equal", "cagrad", "pcgrad"}
    assert all(("balancing.c" in each) == (each["balancing.method"] == "cagrad") for each in draws)


def test_methods_may_have_ranges_of_their_own_for_one_hyperparameter():
    of = spaces("model.sharing=hard,hierarchical", "model.sharing.hard.until=P3,P4")
    assert all(("model.sharing.until" in each) == (each["model.sharing.name"] == "hard") for each in drawn(of))


def test_beside_another_method_the_hyperparameters_of_the_recipe_do_not_count():
    of = spaces("balancing.method=fixed,cagrad", changes=["balancing={method: fixed, weights: {detection: 2}}"])
    taken = [recipes.load("garments", of.overrides({"balancing.method": name})) for name in ("fixed", "cagrad")]
    assert [each.balancing.options for each in taken] == [{}, {}]
    base = of.recipe.balancing
    assert of.recipe.balancing.options == {"weights": {"detection": 2}}
    assert taken[1].balancing.watch == base.watch


def test_what_is_drawn_is_in_the_recipe_to_its_last_digit():
    of = spaces("training.learning_rate=1e-6..1e-2", "data.image_size=[64, 64],[96, 96]", "training.ema=null,0.99")
    for values in drawn(of):
        taken = recipes.load("garments", of.overrides(values))
        assert taken.training.learning_rate == values["training.learning_rate"]
        assert list(taken.data.image_size) == values["data.image_size"]
        assert taken.training.ema == values["training.ema"]


def test_weights_of_the_simplex_are_positive_and_as_many_in_sum_as_tasks():
    of = spaces("balancing.weights=simplex", changes=["balancing.method=fixed"]).with_tasks(["a", "b", "c"])
    weights = [each["balancing.weights"] for each in drawn(of, 200)]
    assert all(sum(each.values()) == pytest.approx(3) and min(each.values()) > 0 for each in weights)
    # Dirichlet of ones: a weight over K is above t with the probability (1 - t)^(K - 1).
    assert sum(each["a"] > 1.5 for each in weights) / 200 == pytest.approx(0.25, abs=0.08)
