"""Single samples to look at: whole pictures and their labels, as they are before anything is done to them."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pipelines import kinds
from pipelines.contract import Split, Tree
from pipelines.kinds.spec import LabelSpec
from pipelines.samples.batching import Batching
from pipelines.samples.reading import Examiner, Read


class Example(NamedTuple):
    """One sample to look at: its split and name, image uint8 `[H, W, 3]`, labels as in a batch of one, and weights."""

    split: str
    name: str
    image: np.ndarray
    labels: Tree
    weights: dict[str, float]


def example(
    split: Split, named: str, row: int, specs: tuple[LabelSpec, ...], size: tuple[int, int], read: Read | None = None
) -> Example | None:
    """Return one sample, its picture centred in `size` (height and width) amid grey; None where it cannot be used.

    Args:
        split: where it is read.
        named: what the split is called.
        row: the index of the sample.
        specs: of its labels.
        size: height and width in pixels.
        read: from an index to a sample, where that is not the split's own.
    """
    batching = Batching(specs, size, 1, resize="letterbox", reduced=split.ratios is not None)
    examine, shape = Examiner(split, read or split.read, specs), tf.constant(split.shapes[row], tf.int32)
    sample, mistake = examine(row)
    if mistake is not None:
        return None
    sample = batching.place_whole(tf.nest.map_structure(tf.constant, sample), shape)
    labels = {}
    for spec in specs:
        label = tf.nest.map_structure(lambda x: x[None], sample["labels"][spec.name])
        labels[spec.name] = tf.nest.map_structure(lambda x: x.numpy(), kinds.of(spec).finish(label, None))
    weights = {spec.name: float(sample["weights"][spec.name]) for spec in specs}
    return Example(named, split.name(row), sample["image"].numpy(), labels, weights)


def spread(rows: np.ndarray, count: int) -> Iterable[int]:
    """Return at most so many of some indices, evenly spread from the first to the last.

    Example:
        >>> list(spread(np.arange(10), 4))
        [0, 3, 6, 9]
    """
    places = np.unique(np.linspace(0, len(rows) - 1, max(0, count)).round().astype(int))
    return [int(row) for row in rows[places]]


def examples(
    split: Split,
    rows: np.ndarray,
    specs: tuple[LabelSpec, ...],
    convert: Callable[[Tree], Tree],
    count: int,
    size: tuple[int, int],
) -> list[Example]:
    """Return at most so many samples of training, spread over some indices, without those that cannot be used.

    Args:
        split: where they are read.
        rows: indices of samples.
        specs: of their labels.
        convert: changes the labels of a sample, in graph.
        count: how many.
        size: height and width in pixels that each picture is centred in.
    """
    read = lambda index: convert(split.read(index))  # noqa: E731
    found = (example(split, "train", row, specs, size, read) for row in spread(rows, count))
    return [each for each in found if each is not None]
