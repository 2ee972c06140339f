"""Labels of one class list turned into those of another, by the names of the classes."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError, one_of
from pipelines.source import Source, Tree
from pipelines.specs import IGNORE, UNKNOWN, LabelSpec


def mapper(source: Source, wanted: tuple[LabelSpec, ...]) -> Callable[[Tree], Tree]:
    """Return the function, in graph, from a sample labelled as the source says to one labelled as `wanted` says.

    A class of `wanted` that the source does not have is unknown (-1) in multi-label presence, and never occurs
    elsewhere.

    Raises:
        DataError: a task of `wanted` is of another kind in the source, or the source has a class that `wanted` has not.
    """
    found = {spec.name: spec for spec in source.specs}
    changes = {}
    for spec in wanted:
        own = found[spec.name]
        if own.kind != spec.kind:
            raise DataError(f"Task '{spec.name}' expects labels of kind {spec.kind}, but the data has {own.kind}.")
        for name in own.classes:
            if name not in source.absent:
                one_of(name, spec.classes, f"{spec.name} class in the data")
        if own.classes != spec.classes:
            changes[spec.name] = _change(own, spec)

    def convert(sample: Tree) -> Tree:
        labels = {spec.name: sample["labels"][spec.name] for spec in wanted}
        labels |= {name: change(labels[name]) for name, change in changes.items()}
        return {**sample, "labels": labels, "weights": {spec.name: sample["weights"][spec.name] for spec in wanted}}

    return convert


def _change(own: LabelSpec, wanted: LabelSpec) -> Callable:
    """The function that renumbers one label; classes that `wanted` has not do not occur, and become 0."""
    ids = np.array([wanted.classes.index(name) if name in wanted.classes else 0 for name in own.classes])
    if wanted.kind == "segmentation":
        table = np.full(IGNORE + 1, IGNORE - 1)  # a value that is no class stays none, to be found out
        table[: len(ids)] = ids
        table[IGNORE] = IGNORE
        table = tf.constant(table, tf.uint8)
        return lambda mask: tf.gather(table, tf.cast(mask, tf.int32))
    if wanted.kind == "multi_label":
        known = np.array([name in own.classes for name in wanted.classes])
        place = [own.classes.index(name) if name in own.classes else 0 for name in wanted.classes]
        return lambda label: tf.where(known, tf.gather(label, place), UNKNOWN)
    table = tf.constant(ids, tf.int32)
    if wanted.kind == "detection":

        def renumber(label: Tree) -> Tree:
            classes = label["classes"]
            return {**label, "classes": tf.where(classes < 0, classes, tf.gather(table, tf.maximum(classes, 0)))}

        return renumber
    return lambda label: tf.gather(table, label)
