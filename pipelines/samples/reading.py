"""Samples read once: checked, and kept in memory so that later epochs decode nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from pipelines import kinds
from pipelines.contract import Split, Tree
from pipelines.errors import Problems
from pipelines.kinds.spec import LabelSpec

Read = Callable[[tf.Tensor], Tree]


def compiled(read: Read) -> Any:
    """Trace `read` once, so that Python can call it and know the shapes it gives (`structured_outputs`)."""
    return tf.function(read, [tf.TensorSpec([], tf.int64)], autograph=False).get_concrete_function()


class Keeper(Protocol):
    """What is handed every good sample, by several threads at once."""

    def put(self, index: int, sample: Tree) -> None:
        """Take one sample."""


def visit(
    split: Split, read: Read, specs: tuple[LabelSpec, ...], problems: Problems, memory: Keeper | None = None
) -> np.ndarray:
    """Read every sample once, so that a broken file is found now and not in the middle of an epoch.

    Args:
        split: the split that is read.
        read: from `compiled`.
        specs: of the labels in the samples.
        problems: told of each sample that cannot be read, or whose labels have values that mean nothing.
        memory: where the samples are kept or counted, or None.

    Returns:
        int64 indices of the good samples.
    """
    labels = {spec.name: kinds.of(spec) for spec in specs}

    def problem(index: int) -> str | None:
        try:
            sample = tf.nest.map_structure(lambda x: x.numpy(), read(tf.constant(index, tf.int64)))
        except tf.errors.OpError:
            return split.diagnose(index)
        if any(kind.is_wrong(sample["labels"][name]) for name, kind in labels.items()):
            return split.diagnose(index)
        if memory:
            memory.put(index, sample)
        return None

    good = []
    with ThreadPoolExecutor(cpu_count()) as pool:
        for index, message in enumerate(pool.map(problem, range(len(split.shapes)))):
            if message:
                problems.report(message)
                split.lose(index, message)
            else:
                good.append(index)
    return np.array(good, np.int64)
