"""Beside another method or scheme than its own, what a recipe says counts where there is such an option."""

from visionmtl import recipe
from visionmtl.comparison.choosing import fitted


def of_method(text, changes):
    """Return the balancing that a garments recipe has after changes, and what was left out."""
    whole = recipe.load("garments", [f"balancing={text}"])
    found = fitted(whole, changes)
    return recipe.changed(whole, found.changes).balancing, found.left_out


def test_what_another_method_has_no_place_for_is_left_out_and_told():
    taken, left_out = of_method("{method: fixed, weights: {detection: 2}, watch: 7}", {"balancing.method": "equal"})
    assert (taken.method, taken.options, taken.watch) == ("equal", {}, 7)
    assert left_out == ["'equal' is without the recipe's balancing.weights: it has no such."]


def test_what_another_method_takes_too_stays():
    taken, left_out = of_method("{method: cagrad, c: 0.3, scope: features}", {"balancing.method": "pcgrad"})
    assert taken.options == {"scope": "features"}
    assert left_out == ["'pcgrad' is without the recipe's balancing.c: it has no such."]


def test_what_is_given_beside_the_method_counts_whatever_the_recipe_says():
    changes = {"balancing.method": "cagrad", "balancing.c": 0.1}
    taken, left_out = of_method("{method: fixed, weights: {detection: 2}}", changes)
    assert taken.options == {"c": 0.1}
    assert len(left_out) == 1


def test_a_section_given_whole_and_the_recipes_own_method_are_as_they_were_given():
    for changes in ({"balancing": {"method": "equal"}}, {"balancing.method": "fixed"}, {"balancing.method": "equl"}):
        whole = recipe.load("garments", ["balancing={method: fixed, weights: {detection: 2}}"])
        assert fitted(whole, changes) == (changes, [])


def test_a_scheme_is_without_the_options_of_another():
    whole = recipe.load("garments", ["model.sharing={name: hard, until: P3}"])
    found = fitted(whole, {"model.sharing.name": "mtan"})
    assert recipe.changed(whole, found.changes).model.sharing.options == {}
    assert found.left_out == ["'mtan' is without the recipe's model.sharing.until: it has no such."]
