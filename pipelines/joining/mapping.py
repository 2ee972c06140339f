"""Labels of one class list turned into those of another, by the names of the classes or by an explicit map."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from pipelines.contract import Source, Tree
from pipelines.errors import DataError, one_of
from pipelines.kinds.spec import CROWD, IGNORE, PADDING, UNKNOWN, LabelSpec

# From a source's class to that of a merged list, or to None: neither learnt nor counted.
ClassMap = Mapping[str, str | None]


def mapper(source: Source, wanted: tuple[LabelSpec, ...], merged: ClassMap | None = None) -> Callable[[Tree], Tree]:
    """Return the function, in graph, from a sample labelled as the source says to one labelled as `wanted` says.

    A class of `wanted` that the source does not have is unknown (-1) in multi-label presence, and never occurs
    elsewhere. A class that is mapped to None is a region to ignore in detection, ignored in masks, left out of
    presence; an image whose one class it is counts as not labelled.

    Args:
        source: where the samples come from.
        wanted: some or all of the source's tasks, with the classes that their labels are to have.
        merged: what some of the source's classes are called in `wanted`; the others keep their names.

    Raises:
        DataError: a task of `wanted` is of another kind in the source, or the source has a class that `wanted` has not.
    """
    found = {spec.name: spec for spec in source.specs}
    changes: dict[str, Callable] = {}
    for spec in wanted:
        own = found[spec.name]
        if own.kind != spec.kind:
            raise DataError(f"Task '{spec.name}' expects labels of kind {spec.kind}, but the data has {own.kind}.")
        names = called(own, merged)
        for name, target in zip(own.classes, names, strict=True):
            if name not in source.absent and target is not None:
                one_of(target, spec.classes, f"{spec.name} class in the data")
        if names != spec.classes:
            changes[spec.name] = _CHANGES[spec.kind](names, spec)

    def convert(sample: Tree) -> Tree:
        labels = {spec.name: sample["labels"][spec.name] for spec in wanted}
        weights = {spec.name: sample["weights"][spec.name] for spec in wanted}
        for name, change in changes.items():
            labels[name], weights[name] = change(labels[name], weights[name])
        return {**sample, "labels": labels, "weights": weights}

    return convert


def called(spec: LabelSpec, merged: ClassMap | None) -> tuple[str | None, ...]:
    """Return what the classes of a label are called once merged, None where one is dropped."""
    return tuple((merged or {}).get(name, name) for name in spec.classes)


def _ids(names: tuple[str | None, ...], wanted: LabelSpec, dropped: int) -> np.ndarray:
    """The id of each class in `wanted`: of those that are dropped `dropped`, of those that do not occur 0."""
    known = {name: place for place, name in enumerate(wanted.classes)}
    return np.array([dropped if name is None else known.get(name, 0) for name in names])


def _masks(names: tuple[str | None, ...], wanted: LabelSpec) -> Callable:
    table = np.full(IGNORE + 1, IGNORE - 1)  # a value that is no class stays none, to be found out
    table[: len(names)] = _ids(names, wanted, IGNORE)
    table[IGNORE] = IGNORE
    values = tf.constant(table, tf.uint8)
    return lambda mask, weight: (tf.gather(values, tf.cast(mask, tf.int32)), weight)


def _presence(names: tuple[str | None, ...], wanted: LabelSpec) -> Callable:
    member = np.array([[name == target for name in names] for target in wanted.classes])

    def change(label: tf.Tensor, weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Of the classes merged into one: there if one is there, else unknown if one is unknown, else absent.
        rank = tf.where(label > 0, 2.0, tf.where(label == UNKNOWN, 1.0, 0.0))
        best = tf.reduce_max(tf.where(member, rank, -1.0), axis=1)
        merged = tf.where(best == 2.0, 1.0, tf.where(best == 0.0, 0.0, UNKNOWN))
        return merged, weight * tf.cast(tf.reduce_any(merged != UNKNOWN), tf.float32)

    return change


def _boxes(names: tuple[str | None, ...], wanted: LabelSpec) -> Callable:
    table = tf.constant(_ids(names, wanted, CROWD), tf.int32)
    dropping = None in names

    def change(label: Tree, weight: tf.Tensor) -> tuple[Tree, tf.Tensor]:
        boxes, classes = label["boxes"], label["classes"]
        classes = tf.where(classes < 0, classes, tf.gather(table, tf.maximum(classes, 0)))
        if dropping:  # regions to ignore come after the objects
            order = tf.argsort(tf.where(classes >= 0, 0, tf.where(classes == PADDING, 2, 1)), stable=True)
            boxes, classes = tf.gather(boxes, order), tf.gather(classes, order)
        return {"boxes": boxes, "classes": classes}, weight

    return change


def _class(names: tuple[str | None, ...], wanted: LabelSpec) -> Callable:
    table = tf.constant(_ids(names, wanted, -1), tf.int32)

    def change(label: tf.Tensor, weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        merged = tf.gather(table, label)
        return tf.maximum(merged, 0), weight * tf.cast(merged >= 0, tf.float32)

    return change


_CHANGES = {"classification": _class, "multi_label": _presence, "detection": _boxes, "segmentation": _masks}
