"""What an export says of its inputs and outputs: every name has a meaning, and no task takes another's."""

from types import MappingProxyType

import pytest
import toys

from visionmtl.export.signature import meaning_of
from visionmtl.tasks import Classification, Depth


class Strange(Depth):
    """A task of one's own that says nothing of its predictions."""

    meanings = MappingProxyType({})


@pytest.mark.slow
def test_every_name_has_the_meaning_of_its_own_task(toy_model):
    model = toy_model([*toys.tasks("objects", "ground"), Classification("objects_of", 2)], sharing="cross_stitch")
    units = {name: meaning_of(model, name).unit for name in ("objects_boxes", "objects_classes", "ground_classes")}
    assert units == {
        "objects_boxes": "pixels of the picture",
        "objects_classes": "class number",
        "ground_classes": "class number",
    }
    assert "sum to 1" in meaning_of(model, "objects_of_probabilities").text
    assert "least score" in meaning_of(model, "objects_confidence").text
    assert "task ground read" in meaning_of(model, "ground_P3").text
    assert "stride of 8" in meaning_of(model, "ground_P3").text
    assert "all tasks read" in meaning_of(toy_model(), "P2").text


def test_a_task_that_says_nothing_is_told_to(toy_model):
    model = toy_model([Strange("range")])
    assert meaning_of(model, "strange").text == "'strange', of which no more is said"
    assert meaning_of(model, "range_depth").text == "'depth' of task range, a Strange that says no more of it"
