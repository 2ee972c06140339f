"""What each sample of a split is labelled with, read from its labels alone: no picture is decoded."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from pipelines import kinds
from pipelines.contract import Split, Tree
from pipelines.kinds.spec import LabelSpec
from pipelines.samples.reading import at_once, compiled
from pipelines.samples.showing import spread


def amounts(
    split: Split, rows: np.ndarray, specs: tuple[LabelSpec, ...], convert: Callable[[Tree], Tree]
) -> dict[str, np.ndarray]:
    """Return by task how many of each class a sample has, in its kind's unit: float `[N, C]`, NaN where not labelled.

    Args:
        split: where they come from.
        rows: int64 `[N]`, the indices of the samples.
        specs: of the labels.
        convert: changes the labels of a sample, in graph.
    """
    of_classes = {spec.name: kinds.of(spec) for spec in specs if spec.classes}
    found = {name: np.full((len(rows), len(kind.classes)), np.nan) for name, kind in of_classes.items()}

    def labels(index: tf.Tensor) -> Tree:
        sample = convert(split.read(index))
        return {key: {name: sample[key][name] for name in of_classes} for key in ("labels", "weights")}

    once = compiled(labels)

    def count(place: int) -> None:
        try:
            sample = tf.nest.map_structure(lambda x: x.numpy(), once(tf.constant(rows[place], tf.int64)))
        except tf.errors.OpError:
            return  # it is told when it is met
        for name, kind in of_classes.items():
            if sample["weights"][name] > 0:
                found[name][place] = kind.count(sample["labels"][name]).classes

    for _ in at_once(count, range(len(rows))):
        pass
    return found


def totals(
    split: Split,
    rows: np.ndarray,
    specs: tuple[LabelSpec, ...],
    convert: Callable[[Tree], Tree],
    tasks: Sequence[str],
    count: int,
) -> dict[str, np.ndarray]:
    """Return by task how many of each class at most so many samples have, in its kind's unit: float `[C]`.

    Args:
        split: where they come from.
        rows: int64 `[N]`, the indices of all samples, over which those that are read are spread.
        specs: of the labels.
        convert: changes the labels of a sample, in graph.
        tasks: names of those to count.
        count: how many samples.
    """
    asked = tuple(spec for spec in specs if spec.name in tasks)
    found = amounts(split, np.array(spread(rows, count), np.int64), asked, convert)
    return {name: np.nansum(each, axis=0) for name, each in found.items()}


def weights(split: Split, convert: Callable[[Tree], Tree], specs: tuple[LabelSpec, ...]) -> np.ndarray:
    """Return which samples are labelled for which task, float32 `[N, K]`; no picture is decoded."""

    def read(index: tf.Tensor) -> tf.Tensor:
        weights = convert(split.read(index))["weights"]
        return tf.stack([weights[spec.name] for spec in specs])

    indices = tf.data.Dataset.range(len(split.shapes))
    weights = indices.map(tf.autograph.experimental.do_not_convert(read), num_parallel_calls=tf.data.AUTOTUNE)
    return np.concatenate([batch.numpy() for batch in weights.batch(1024)])
