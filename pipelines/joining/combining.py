"""Several sources as one: their tasks under one list of specs, their samples end to end, what one lacks unlabelled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf

from pipelines import kinds
from pipelines.contract import Source, Split, Tree
from pipelines.errors import DataError, one_of
from pipelines.joining.mapping import ClassMap, Convert, called, mapper
from pipelines.kinds.spec import LabelSpec
from pipelines.splits import SPLITS


@dataclass(frozen=True)
class Member:
    """One of several sources.

    Attributes:
        source: the source.
        tasks: what some of its tasks are called among all; the others keep their names.
        classes: what some of its classes are called among all, or None for those that are neither learnt nor counted;
            the others keep their names.
    """

    source: Source
    tasks: Mapping[str, str] = field(default_factory=dict)
    classes: ClassMap = field(default_factory=dict)


def combine(members: Mapping[str, Member], max_boxes: int, expected: Sequence[LabelSpec] | None = None) -> Source:
    """Return one source that has the samples of all, split by split; a task that a source does not label has weight 0.

    Tasks of one name are one task: its classes are those of the first source, then what the others add, by name.

    Args:
        members: the sources by name, in the order of their samples.
        max_boxes: rows of boxes per image.
        expected: the tasks with their classes, as of a trained model; None for those of the sources.

    Raises:
        DataError: two sources have labels of different kinds under one name, or a class is not among those expected.
    """
    sources = {name: renamed(name, member) for name, member in members.items()}
    specs = merged_specs(members, sources) if expected is None else expected_specs(sources, expected)
    tasks = {name: tuple(spec.name for spec in source.specs) for name, source in sources.items()}
    parted: dict[str, dict[str, Split]] = {}  # by split, then by source
    for name, source in sources.items():
        convert = mapper(source, tuple(spec for spec in specs if spec.name in tasks[name]), members[name].classes)
        for key, split in source.splits.items():
            parted.setdefault(key, {})[name] = _completed(split, convert, specs, max_boxes)
    splits = {key: _joined(parted[key]) for key in SPLITS if key in parted}
    accounts = tuple(account for source in sources.values() for account in source.accounts)
    return Source(specs, splits, members=tasks, accounts=accounts)


def renamed(name: str, member: Member) -> Source:
    """Return a source with its tasks under their new names."""
    source, tasks = member.source, member.tasks
    classes = list(dict.fromkeys(c for spec in source.specs for c in spec.classes))
    for given in member.classes:
        one_of(given, classes, f"class of source '{name}'")
    new = {spec.name: tasks.get(spec.name, spec.name) for spec in source.specs}
    if len(set(new.values())) < len(new):
        raise DataError(f"Source '{name}' has two tasks of one name: {', '.join(new.values())}.")
    if all(old == given for old, given in new.items()):
        return source

    def renamed_split(split: Split) -> Split:
        def read(index: tf.Tensor) -> Tree:
            sample = split.read(index)
            trees = {key: {given: sample[key][old] for old, given in new.items()} for key in ("labels", "weights")}
            return {**sample, **trees}

        def follow(before: Tree, after: Tree, specs: dict[str, LabelSpec], indices: tf.Tensor) -> Tree:
            def own(tree: dict) -> dict:
                return {old: tree[given] for old, given in new.items() if given in tree}

            changed = split.follow(own(before), own(after), own(specs), indices) if split.follow else {}
            return {**after, **{new[old]: value for old, value in changed.items()}}

        return replace(split, read=read, follow=split.follow and follow)

    specs = tuple(LabelSpec(new[spec.name], spec.kind, spec.classes) for spec in source.specs)
    return replace(source, specs=specs, splits={key: renamed_split(split) for key, split in source.splits.items()})


def merged_specs(members: Mapping[str, Member], sources: Mapping[str, Source]) -> tuple[LabelSpec, ...]:
    """Return the tasks of all sources with the classes of all."""
    firsts: dict[str, tuple[str, str]] = {}  # by task: the source that has it first, and the kind of its labels
    classes: dict[str, dict[str, None]] = {}
    for name, source in sources.items():
        for spec in source.specs:
            first, kind = firsts.setdefault(spec.name, (name, spec.kind))
            if kind != spec.kind:
                raise DataError(
                    f"Task '{spec.name}' is of kind {kind} in source '{first}' and {spec.kind} in '{name}': give one of"
                    f" them another name, as tasks: {{{spec.name}: another}}."
                )
            names = called(spec, members[name].classes)
            classes.setdefault(spec.name, {}).update({name: None for name in names if name is not None})
    return tuple(LabelSpec(task, kind, tuple(classes[task])) for task, (_, kind) in firsts.items())


def expected_specs(sources: Mapping[str, Source], expected: Sequence[LabelSpec]) -> tuple[LabelSpec, ...]:
    """Return those of the tasks expected that some source labels."""
    names = [spec.name for spec in expected]
    known = {one_of(spec.name, names, "task of the specs given") for own in sources.values() for spec in own.specs}
    return tuple(spec for spec in expected if spec.name in known)


def _completed(split: Split, convert: Convert, specs: tuple[LabelSpec, ...], max_boxes: int) -> Split:
    """A split whose samples have the labels of all tasks, unlabelled those that its source lacks."""
    shapes = tf.constant(split.shapes, tf.int32)

    def read(index: tf.Tensor) -> Tree:
        sample = convert(split.read(index))
        labels, weights = {}, {}
        for spec in specs:
            if spec.name in sample["labels"]:
                labels[spec.name], weights[spec.name] = sample["labels"][spec.name], sample["weights"][spec.name]
            else:
                labels[spec.name] = kinds.of(spec).unlabelled(shapes[index], max_boxes)
                weights[spec.name] = tf.constant(0.0)
        return {"image": sample["image"], "labels": labels, "weights": weights}

    return replace(split, read=read)


def _joined(there: Mapping[str, Split]) -> Split:
    """One split out of those of several sources, one after the other."""
    splits = list(there.values())
    bounds = np.cumsum([0, *(len(split.shapes) for split in splits)])
    starts, ends = tf.constant(bounds[:-1]), tf.constant(bounds[1:])

    def member(index: tf.Tensor) -> tf.Tensor:
        return tf.searchsorted(ends, tf.reshape(index, [-1]), side="right")

    def read(index: tf.Tensor) -> Tree:
        choices = [lambda k=k, split=split: split.read(index - starts[k]) for k, split in enumerate(splits)]
        return choices[0]() if len(choices) == 1 else tf.switch_case(member(index)[0], choices)

    def row(index: int) -> tuple[Split, int]:
        place = int(np.searchsorted(bounds[1:], index, side="right"))
        return splits[place], int(index - bounds[place])

    def diagnose(index: int) -> str:
        split, own = row(index)
        return split.diagnose(own)

    def name(index: int) -> str:
        split, own = row(index)
        return split.name(own)

    def lose(index: int, message: str) -> None:
        split, own = row(index)
        split.lose(own, message)

    ratios = [np.ones(len(split.shapes), np.int32) if split.ratios is None else split.ratios for split in splits]
    return Split(
        np.concatenate([split.shapes for split in splits]),
        read,
        _follow(splits, starts, member) if any(split.follow for split in splits) else None,
        diagnose,
        all(split.trusted for split in splits),
        name,
        members={name: len(split.shapes) for name, split in there.items()},
        ratios=None if all(split.ratios is None for split in splits) else np.concatenate(ratios),
        lose=lose,
        patient=all(split.trusted or split.patient for split in splits),
    )


def _follow(splits: Sequence[Split], starts: tf.Tensor, member: Callable[[tf.Tensor], tf.Tensor]) -> Callable:
    """`Split.follow` of several splits: each changes what comes from it, as `member` says of indices."""

    def follow(before: Tree, after: Tree, specs: dict[str, LabelSpec], indices: tf.Tensor) -> Tree:
        origin, result = member(indices), dict(after)
        for place, split in enumerate(splits):
            changed = split.follow(before, after, specs, indices - starts[place]) if split.follow else {}
            for name, value in changed.items():
                if value is not after[name]:
                    mine = tf.reshape(origin == place, [-1] + [1] * (value.shape.rank - 1))
                    result[name] = tf.where(mine, value, result[name])
        return result

    return follow
