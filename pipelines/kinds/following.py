"""Which classes are present follows from the objects that are left of a picture when it is cropped."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence

import tensorflow as tf

from pipelines import kinds
from pipelines.kinds.kind import Kind
from pipelines.kinds.spec import LabelSpec

Tree = dict


def presence(specs: Iterable[LabelSpec]) -> Callable | None:
    """Return `follow_boxes` where one of these tasks follows and another has the objects; else None."""
    known = [kinds.of(spec) for spec in specs]
    both = any(kind.follows for kind in known) and any(kind.has_objects for kind in known)
    return follow_boxes if both else None


def follow_boxes(before: Tree, after: Tree, specs: Mapping[str, LabelSpec], indices: tf.Tensor) -> Tree:
    """Let presence follow the boxes of a batch that was cropped: a class whose boxes are all gone is no longer there.

    A class that never had a box, or only crowds, stays as it was, and so does all where no task has objects: it was
    asked for without them. `Split.follow` has the arguments.
    """
    known = {name: kinds.of(spec) for name, spec in specs.items()}
    objects = {name: kind for name, kind in known.items() if kind.has_objects}
    followers = {name: kind for name, kind in known.items() if kind.follows and objects}
    changed = dict(after)
    for name, kind in followers.items():
        gone = (_seen(before, objects, kind.classes) == 1.0) & (_seen(after, objects, kind.classes) == 0.0)
        changed[name] = kind.without(after[name], gone)
    return changed


def _seen(labels: Tree, objects: Mapping[str, Kind], classes: Sequence[str]) -> tf.Tensor:
    """Which classes the objects of any task have: float32 `[B, C]`, 1 or 0."""

    def of(name: str, kind: Kind) -> tf.Tensor:
        ids = [kind.classes.index(c) if c in kind.classes else len(kind.classes) for c in classes]
        return tf.gather(tf.pad(kind.seen(labels[name]), [[0, 0], [0, 1]]), ids, axis=1)

    return functools.reduce(tf.maximum, [of(name, kind) for name, kind in objects.items()])
