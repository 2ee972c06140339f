"""Agreement: ties are told, and every output that differs is, by how much."""

import numpy as np
import pytest
import toys

from visionmtl.export import agreement

TASKS = {task.name: task for task in toys.tasks("scene", "objects", "ground", "range")}


def answer():
    """What a model says of one picture, three objects of four rows among it."""
    corners = np.array([[[2, 2, 9, 9], [20, 20, 30, 30], [5, 20, 15, 30], [0, 0, 0, 0]]], "float32")
    return {
        "scene_probabilities": np.array([[0.2, 0.3, 0.5]], "float32"),
        "objects_boxes": corners,
        "objects_scores": np.array([[0.9, 0.5, 0.2, 0]], "float32"),
        "objects_classes": np.array([[0, 1, 0, -1]], "int32"),
        "objects_count": np.array([3], "int32"),
        "ground_classes": np.zeros((1, 30, 40), "int32"),
        "range_depth": np.full((1, 30, 40), 3.0, "float32"),
    }


def differing(change, least=None):
    """The outputs that do not agree when the second answer is changed."""
    other = answer()
    change(other)
    return [each for each in agreement.compare(TASKS, answer(), other, least) if not each.agrees]


def test_equal_answers_agree_in_every_output():
    found = agreement.compare(TASKS, answer(), answer())
    assert all(each.agrees and each.value == 0 for each in found)
    assert [each.output for each in found] == [
        "scene_probabilities",
        "objects_boxes",
        "objects_scores",
        "objects_count",
        "ground_classes",
        "range_depth",
    ]


@pytest.mark.parametrize(
    ("output", "place", "value"),
    [
        ("scene_probabilities", (0, 1), 0.31),
        ("objects_boxes", (0, 1, 0), 20.1),
        ("objects_scores", (0, 1), 0.5005),
        ("ground_classes", (0, slice(2)), 2),
        ("range_depth", (0, 3, 3), 3.1),
        ("range_depth", (0, 3, 3), np.nan),
    ],
)
def test_what_differs_is_told(output, place, value):
    (found,) = differing(lambda other: other[output].__setitem__(place, value))
    assert found.output == output
    assert output in str(found)


def without(place):
    """Take an object out of an answer."""

    def change(other):
        other["objects_classes"][0, place] = -1

    return change


def test_an_object_that_one_answer_lacks_is_told_unless_it_is_as_near_to_a_threshold_as_rounding():
    (found,) = differing(without(1))
    assert (found.output, found.value) == ("objects_count", 1)
    assert differing(without(1), {"objects": [0.5, 0.50005]}) == []
    (found,) = differing(without(1), {"objects": [0.5, 0.4]})
    assert found.value == 1


def test_an_output_that_is_missing_or_of_another_shape_differs():
    (found,) = differing(lambda other: other.pop("ground_classes"))
    assert found.output == "ground_classes"
    (found,) = differing(lambda other: other.update(ground_classes=other["ground_classes"][:, 1:]))
    assert found.output == "ground_classes"
