"""Labels of one class list turned into those of another, by the names of the classes or by an explicit map."""

from collections.abc import Callable, Mapping

from pipelines import kinds
from pipelines.contract import Source, Tree
from pipelines.errors import DataError, one_of
from pipelines.kinds.kind import Change
from pipelines.kinds.spec import LabelSpec

# From a source's class to that of a merged list, or to None: neither learnt nor counted.
ClassMap = Mapping[str, str | None]
Convert = Callable[[Tree], Tree]  # from a sample to the same with other labels


def mapper(source: Source, wanted: tuple[LabelSpec, ...], merged: ClassMap | None = None) -> Convert:
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
    there = {spec.name: spec for spec in source.specs}
    changes: dict[str, Change] = {}
    for spec in wanted:
        own = there[spec.name]
        if own.kind != spec.kind:
            raise DataError(f"Task '{spec.name}' expects labels of kind {spec.kind}, but the data has {own.kind}.")
        names = called(own, merged)
        for name, target in zip(own.classes, names, strict=True):
            if name not in source.absent and target is not None:
                one_of(target, spec.classes, f"{spec.name} class in the data")
        if names != spec.classes:
            changes[spec.name] = kinds.of(spec).mapped(names)

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
