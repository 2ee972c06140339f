"""One split out of several that label the same pictures: the picture of the first that has it, the labels of all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pipelines import kinds
from pipelines.contract import Original, Split, Tree
from pipelines.joining.mapping import Convert
from pipelines.kinds.spec import LabelSpec


@dataclass(frozen=True)
class Labeller:
    """A split of one source, as part of several.

    Attributes:
        name: of the source.
        split: its samples.
        convert: turns their labels into those of the specs.
        specs: the tasks that it labels.
        indices: int64 `[N]`, of each picture of all its index in the split; -1 where it has it not.
    """

    name: str
    split: Split
    convert: Convert
    specs: tuple[LabelSpec, ...]
    indices: np.ndarray


def zipped(labellers: Sequence[Labeller], specs: tuple[LabelSpec, ...], max_boxes: int) -> Split:
    """Return the split of N pictures that has the labels of all labellers."""
    table = np.stack([each.indices for each in labellers])
    owner = (table >= 0).argmax(axis=0)  # of each picture, the first that has it
    own = table[owner, np.arange(table.shape[1])]
    shapes = np.stack([labellers[k].split.shapes[i] for k, i in zip(owner, own, strict=True)])
    rates = [labellers[k].split.ratios for k in owner]
    ratios = np.array([1 if r is None else r[i] for r, i in zip(rates, own, strict=True)], np.int32)

    def having(index: int) -> list[tuple[Labeller, int]]:
        return [(each, int(each.indices[index])) for each in labellers if each.indices[index] >= 0]

    def diagnose(index: int) -> str:
        sentences = [each.split.diagnose(place) for each, place in having(index)]
        return next((words for words in sentences if not words.endswith("cannot be read.")), sentences[0])

    def lose(index: int, message: str) -> None:
        for each, place in having(index):
            each.split.lose(place, message)

    def original(index: int) -> Original:
        all_of = [each.split.original(place) for each, place in having(index)]
        return next((made for made in all_of if made.objects is not None), all_of[0])

    def first(index: int) -> tuple[Split, int]:
        each, place = having(index)[0]
        return each.split, place

    return Split(
        shapes,
        _reader(labellers, owner, shapes, specs, max_boxes),
        _follow(labellers) if any(each.split.follow for each in labellers) else None,
        diagnose,
        all(each.split.trusted for each in labellers),
        lambda index: first(index)[0].name(first(index)[1]),
        ratios=ratios if (ratios > 1).any() else None,
        encoded=lambda index: first(index)[0].encoded(first(index)[1]),
        lose=lose,
        original=original,
        patient=all(each.split.patient for each in labellers),
    )


def _reader(
    labellers: Sequence[Labeller], owner: np.ndarray, shapes: np.ndarray, specs: tuple[LabelSpec, ...], max_boxes: int
) -> Callable[[tf.Tensor], Tree]:
    """Return the function, in graph, from an index to a sample."""
    owners, sizes = tf.constant(owner, tf.int32), tf.constant(shapes, tf.int32)
    indices = [tf.constant(each.indices) for each in labellers]

    def image(index: tf.Tensor) -> tf.Tensor:
        choices = [lambda k=k: labellers[k].split.read(indices[k][index])["image"] for k in range(len(labellers))]
        return choices[0]() if len(choices) == 1 else tf.switch_case(owners[index], choices)

    def labelled(k: int, index: tf.Tensor) -> tuple[Tree, Tree]:
        def there() -> tuple[Tree, Tree]:
            sample = labellers[k].convert(labellers[k].split.read(indices[k][index]))
            return sample["labels"], sample["weights"]

        def none() -> tuple[Tree, Tree]:
            labels = {spec.name: kinds.of(spec).unlabelled(sizes[index], max_boxes) for spec in labellers[k].specs}
            return labels, {spec.name: tf.constant(0.0) for spec in labellers[k].specs}

        return tf.cond(indices[k][index] >= 0, there, none)

    def read(index: tf.Tensor) -> Tree:
        labels: Tree = {}
        weights: Tree = {}
        for k in range(len(labellers)):
            more, weighed = labelled(k, index)
            labels |= more
            weights |= weighed
        for spec in specs:
            if spec.name not in labels:  # its source has none of these pictures
                labels[spec.name] = kinds.of(spec).unlabelled(sizes[index], max_boxes)
                weights[spec.name] = tf.constant(0.0)
        return {
            "image": image(index),
            "labels": {spec.name: labels[spec.name] for spec in specs},
            "weights": {spec.name: weights[spec.name] for spec in specs},
        }

    return read


def _follow(labellers: Sequence[Labeller]) -> Callable:
    """`Split.follow` of several: each changes the labels of its own tasks, as its own objects go."""

    def follow(before: Tree, after: Tree, specs: dict[str, LabelSpec], indices: tf.Tensor) -> Tree:
        result = dict(after)
        for each in labellers:
            names = [spec.name for spec in each.specs if spec.name in specs]
            if each.split.follow and names:
                places = tf.gather(tf.constant(each.indices), indices)
                own = [{name: tree[name] for name in names} for tree in (before, result, specs)]
                result |= each.split.follow(own[0], own[1], own[2], places)
        return result

    return follow
