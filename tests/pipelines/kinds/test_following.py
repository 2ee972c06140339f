"""Presence goes with the last object that shows it, whatever the tasks are called."""

import pytest
import tensorflow as tf

from pipelines import LabelSpec
from pipelines.kinds.following import follow_boxes, presence

TAGS = LabelSpec("tags", "multi_label", ("cat", "dog", "sun"))
PETS, HEADS = LabelSpec("pets", "detection", ("dog", "cat")), LabelSpec("heads", "detection", ("cat",))


def labels(tags, **classes):
    """A batch of one image: its presence, and the classes of the objects of each task."""
    boxes = {
        name: {"boxes": tf.zeros([1, len(ids), 4]), "classes": tf.constant([ids])} for name, ids in classes.items()
    }
    return {"tags": tf.constant([tags]), **boxes}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"pets": [0, 1], "heads": [0, -1]}, [1.0, 1.0, 1.0]),
        ({"pets": [-1, -1], "heads": [-1, -1]}, [0.0, 0.0, 1.0]),  # no object shows the sun
        ({"pets": [1, -1], "heads": [-1, -1]}, [1.0, 0.0, 1.0]),
        ({"pets": [-1, -1], "heads": [0, -1]}, [1.0, 0.0, 1.0]),  # a head is left of the cat
        ({"pets": [-2, -1], "heads": [-1, -1]}, [0.0, 0.0, 1.0]),
    ],
)
def test_a_class_is_there_as_long_as_an_object_of_any_task_shows_it(after, expected):
    specs = {spec.name: spec for spec in (TAGS, PETS, HEADS)}
    before = labels([1.0, 1.0, 1.0], pets=[0, 1], heads=[0, -1])
    changed = follow_boxes(before, labels([1.0, 1.0, 1.0], **after), specs, tf.constant([0]))
    assert changed["tags"].numpy().tolist() == [expected]


def test_nothing_follows_where_no_task_has_objects_or_none_follows():
    assert presence([TAGS, PETS]) is follow_boxes
    assert presence([TAGS]) is presence([PETS, HEADS]) is None
    alone = labels([1.0, -1.0, 0.0])
    assert follow_boxes(alone, alone, {"tags": TAGS}, tf.constant([0])) == alone
