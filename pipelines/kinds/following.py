"""Which classes are present follows from the objects that are left of a picture when it is cropped."""

from collections.abc import Callable, Iterable, Mapping

import tensorflow as tf

from pipelines import kinds
from pipelines.kinds.spec import LabelSpec

PRESENCE, OBJECTS = "classification", "detection"  # what the sources call the two tasks
Tree = dict


def presence(specs: Iterable[LabelSpec]) -> Callable | None:
    """Return `follow_boxes` where one of these tasks follows and the other has the objects; else None."""
    known = {spec.name: kinds.of(spec) for spec in specs}
    if PRESENCE in known and known[PRESENCE].follows and OBJECTS in known and known[OBJECTS].has_objects:
        return follow_boxes
    return None


def follow_boxes(before: Tree, after: Tree, specs: Mapping[str, LabelSpec], indices: tf.Tensor) -> Tree:
    """Let presence follow the boxes of a batch that was cropped: a class whose boxes are all gone is no longer there.

    A class that never had a box, or only crowds, stays as it was. `Split.follow` has the arguments.
    """
    follower, objects = kinds.of(specs[PRESENCE]), kinds.of(specs[OBJECTS])
    ids = [objects.classes.index(c) if c in objects.classes else len(objects.classes) for c in follower.classes]

    def seen(labels: Tree) -> tf.Tensor:
        return tf.gather(tf.pad(objects.seen(labels[OBJECTS]), [[0, 0], [0, 1]]), ids, axis=1)

    gone = (seen(before) == 1.0) & (seen(after) == 0.0)
    return {**after, PRESENCE: follower.without(after[PRESENCE], gone)}
