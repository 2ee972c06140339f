"""Each arm is searched over what it has a place for, and what that leaves out is told."""

from visionmtl import recipe
from visionmtl.comparison.compare import asking
from visionmtl.comparison.compare.arms import arms
from visionmtl.comparison.compare.asking import Request
from visionmtl.comparison.compare.surveying import Survey

SURVEY = Survey({name: {"kind": name, "classes": 3} for name in ("classification", "segmentation")}, 50, [])


def candidates(**options):
    """Return the arms of a request by name, and the candidates of the last group of the first model of each."""
    garments = recipe.load("garments", ["tasks=[classification, segmentation]"])
    made = arms(garments, asking.asked(Request("garments", **options), "visionmtl compare garments"), SURVEY)
    return {arm.name: arm for arm in made}, {arm.name: [*arm.parts[0].groups, []][0] for arm in made}


def test_a_key_of_one_method_is_searched_where_that_method_is():
    found, tried = candidates(
        vary=["balancing.method=cagrad,pcgrad"], search=["balancing.c=0.1,0.4", "learning_rate=1e-3,3e-3"], fixed=False
    )
    assert len(tried["cagrad"]) == 4
    assert (
        tried["pcgrad"] == tried["single tasks"] == [{"training.learning_rate": 1e-3}, {"training.learning_rate": 3e-3}]
    )
    assert found["cagrad"].left_out == []
    assert found["pcgrad"].left_out == ["'pcgrad' is not searched over balancing.c: it has no such."]
    assert "not searched over balancing.c: nothing is shared" in found["single tasks"].left_out[0]


def test_a_method_that_is_searched_brings_its_own_keys():
    _, tried = candidates(search=["balancing.method=cagrad,pcgrad", "balancing.c=0.1,0.4"], fixed=False)
    assert tried["single tasks"] == []
    assert tried["hard, uncertainty"] == [
        {"balancing.method": "cagrad", "balancing.c": 0.1},
        {"balancing.method": "cagrad", "balancing.c": 0.4},
        {"balancing.method": "pcgrad"},
    ]


def test_the_baseline_shares_nothing_and_fixed_weights_stay_fixed_whatever_is_searched():
    found, tried = candidates(search=["model.sharing=hard,mtan", "balancing.method=equal,pcgrad"])
    assert tried["single tasks"] == []
    (part,) = found["tuned fixed weights"].parts
    assert part.groups[1] == [{"model.sharing": "hard"}, {"model.sharing": "mtan"}]
    chosen = part.cell({**part.groups[0][1], **part.groups[1][1]}, 0).recipe
    assert (chosen.balancing.method, chosen.model.sharing.name) == ("fixed", "mtan")


def test_a_scheme_that_is_searched_takes_no_option_of_the_recipes():
    base = recipe.load("garments", ["tasks=[classification, segmentation]", "model.sharing={name: hard, until: P3}"])
    asked = asking.asked(Request("garments", search=["model.sharing.name=hard,mtan"], fixed=False), "")
    part = arms(base, asked, SURVEY)[1].parts[0]
    options = [part.cell(each, 0).recipe.model.sharing.options for each in part.groups[0]]
    assert options == [{"until": "P3"}, {}]
