"""What is asked of a comparison is read from its options, and a mistake is told in one sentence."""

import pytest

from visionmtl import recipe
from visionmtl.comparison.compare import asking, wording
from visionmtl.comparison.compare.arms import varied
from visionmtl.comparison.compare.asking import Request
from visionmtl.errors import UsageError


def asked(before=None, **options):
    """What a request for garments asks for."""
    return asking.asked(Request("garments", **options), "visionmtl compare garments", before)


def test_values_part_at_commas_but_not_within_brackets_or_quotes():
    key, values = wording.settings("model.sharing=hard,{name: hard, until: P3},'a,b',[1, 2]", "--vary")
    assert key == "model.sharing"
    assert values == ["hard", {"name": "hard", "until": "P3"}, "a,b", [1, 2]]


def test_the_product_of_what_varies_is_asked_for_and_single_arms_beside_it():
    arms = asked(
        vary=["model.sharing=hard,mtan", "balancing.method=equal,pcgrad"],
        arms=["model.sharing={name: hard, until: P3} balancing.method=equal"],
    ).arms
    assert len(arms) == 5
    assert {"model.sharing": "mtan", "balancing.method": "pcgrad"} in arms
    assert arms[-1] == {"model.sharing": {"name": "hard", "until": "P3"}, "balancing.method": "equal"}


def test_without_anything_that_varies_the_recipe_is_the_arm():
    assert asked().arms == [{}]
    assert asked(arms=["balancing.method=equal"]).arms == [{"balancing.method": "equal"}]


def test_an_arm_is_named_by_what_differs_among_the_arms():
    garments = recipe.load("garments")
    names = [arm.name for arm in varied(garments, asked(vary=["balancing.method=equal,pcgrad"]))]
    assert names == ["equal", "pcgrad"]
    arms = ["model.sharing={name: hard, until: P3}", "model.sharing=mtan training.weight_decay=0.1"]
    names = [arm.name for arm in varied(garments, asked(arms=arms))]
    assert names == ["hard until P3, weight_decay 0.0001", "mtan, weight_decay 0.1"]
    assert [arm.name for arm in varied(garments, asked())] == ["hard, uncertainty"]
    (arm,) = varied(garments, asked(arms=["training.weight_decay=0.1"]))
    assert arm.name == "hard, uncertainty, weight_decay 0.1"


def test_an_arm_of_another_method_is_without_the_options_of_the_recipes():
    weighed = recipe.load("garments", ["balancing={method: fixed, weights: {detection: 2}}"])
    equal, fixed = varied(weighed, asked(vary=["balancing.method=equal,fixed"]))
    assert equal.parts[0].recipe.balancing.options == {}
    assert equal.left_out == ["'equal' is without the recipe's balancing.weights: it has no such."]
    assert fixed.parts[0].recipe.balancing.options == {"weights": {"detection": 2}}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"vary": ["balancing.method"]}, "--vary was given 'balancing.method': expected key=value,value"),
        ({"vary": ["balancing.method=equal", "balancing.method=pcgrad"]}, "--vary was given 'balancing.method' twice"),
        ({"vary": ["training.seed=1,2"]}, "'training.seed' is set by the comparison itself"),
        ({"vary": ["data.path=a,b"]}, "'data.path' says what all arms are measured on"),
        ({"vary": ["training.epochs=1,2"]}, "'training.epochs' is of the budget, the same for all arms"),
        ({"arms": ["model.sharing=mtan model.sharing=hard"]}, "each key once"),
        ({"seeds": 0}, "--seeds was given 0: expected one or more"),
        ({"vary": ["balancing.method=equal,equal"]}, "The arm 'balancing.method=equal' is there twice"),
        ({"vary": ["model.sharing=hard"], "arms": ["balancing.method=uncertainty"]}, "it trains the same as"),
        ({"vary": ["balancing.method=equl"]}, "Unknown balancing method 'equl'. Did you mean 'equal'?"),
        ({"vary": ["model.sharing=mtam"]}, "Unknown sharing scheme 'mtam'. Did you mean 'mtan'?"),
        ({"vary": ["training.weight_decay=x"]}, "'training.weight_decay' is \"x\", expected a number"),
        ({"evaluate": "foo"}, "Unknown split 'foo'."),
        ({"budget": "second=5"}, "--budget was given 'second=5': expected steps"),
        ({"budget": "seconds"}, "--budget was given 'seconds': expected steps"),
        ({"budget": "steps=1.5"}, "--budget was given 'steps=1.5': expected steps"),
        ({"search": ["learning_rate=1e-3,1e-3"]}, "the same key or value twice"),
        ({"search": ["learning_rat=1e-3"]}, "Unknown key to search 'learning_rat'. Did you mean 'learning_rate'?"),
        ({"search": ["steps=1,2"]}, "'training.steps' is of the budget"),
        (
            {"vary": ["training.learning_rate=1e-3,1e-2"], "search": ["learning_rate=1e-3"]},
            "'training.learning_rate' is searched for every arm",
        ),
        ({"vary": ["training.weight_decy=1"]}, "unknown key 'training.weight_decy'"),
        ({"arms": ["training={epochs: 9}"]}, "'training' is a whole section, and 'training.seed' in it is set by"),
        ({"vary": ["data={source: garments}"]}, "'data' is a whole section, and 'data.source' in it says what"),
        ({"vary": ["data.on_error=stop,skip"]}, "'data.on_error' says what all arms are measured on"),
        ({"vary": ["data.epoch=longest,shortest"]}, "'data.epoch' is of the budget"),
        ({"search": ["balancing.c=0.1,0.4"]}, "--search was given 'balancing.c', which no arm has"),
        (
            {"vary": ["model.sharing={name: hard, until: P3}"], "search": ["model.sharing.until=P3,P4"]},
            "'model.sharing.until' is searched for every arm",
        ),
        (
            {"vary": ["model.sharing={name: hard, until: P3}"], "search": ["model.sharing=hard,mtan"]},
            "'model.sharing' is searched for every arm",
        ),
    ],
)
def test_a_mistake_is_told_in_one_sentence(options, sentence):
    with pytest.raises(UsageError, match=None) as told:
        varied(recipe.load("garments"), asked(**options))
    assert sentence in str(told.value)


def test_more_arms_and_seeds_extend_what_was_asked_and_what_contradicts_it_is_refused():
    before = asked(vary=["balancing.method=equal,pcgrad"], seeds=2)
    assert asked(before) == before
    more = asked(before, vary=["balancing.method=pcgrad,cagrad"], seeds=3)
    assert [arm["balancing.method"] for arm in more.arms] == ["equal", "pcgrad", "cagrad"]
    assert more.seeds == 3
    with pytest.raises(UsageError, match="--seeds was given 1, but the comparison has 2 already"):
        asked(before, seeds=1)


def test_a_split_is_known_by_its_one_name():
    assert asked(evaluate="testing").evaluate == "test"
    assert asked(asked(evaluate="test"), evaluate="testing") == asked(evaluate="test")


def test_a_budget_and_a_search_stay_as_they_were_begun():
    before = asked(budget="seconds=600", search=["learning_rate=1e-3,3e-3", "weight_decay=0,0.1"])
    assert before.budget == {"of": "seconds", "amount": 600}
    assert len(before.candidates) == 4
    assert before.candidates[1] == {"training.learning_rate": 1e-3, "training.weight_decay": 0.1}
    assert asked(before, budget="seconds=600") == before
    with pytest.raises(UsageError, match="--budget is steps, but the comparison has seconds=600: make another folder"):
        asked(before, budget="steps")
    with pytest.raises(UsageError, match=r"learning_rate=0.001,0.003 training.weight_decay=0,0.1: make another folder"):
        asked(before, search=["learning_rate=1e-3"])
    with pytest.raises(UsageError, match="but the comparison has none: make another folder"):
        asked(asked(), search=["learning_rate=1e-3"])
