"""Samples read once: checked, and kept in memory so that later epochs decode nothing."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import Any, Protocol, TypeVar

import numpy as np
import tensorflow as tf

from pipelines import kinds
from pipelines.contract import Split, Tree
from pipelines.errors import Problems
from pipelines.kinds.spec import LabelSpec

Read = Callable[[tf.Tensor], Tree]
Given = TypeVar("Given")
Got = TypeVar("Got")


def compiled(read: Read) -> Any:
    """Trace `read` once, so that Python can call it and know the shapes it gives (`structured_outputs`)."""
    return tf.function(read, [tf.TensorSpec([], tf.int64)], autograph=False).get_concrete_function()


def at_once(work: Callable[[Given], Got], all_given: Iterable[Given], threads: int | None = None) -> Iterator[Got]:
    """Yield the results of some work in order, done by several threads; who stops early does not wait for the rest."""
    pool = ThreadPoolExecutor(threads or cpu_count())
    try:
        yield from pool.map(work, all_given)
    finally:
        pool.shutdown(cancel_futures=True)


class Keeper(Protocol):
    """What is handed every good sample, by several threads at once."""

    def put(self, index: int, sample: Tree) -> None:
        """Take one sample."""


class Examiner:
    """Reads single samples, and says of each that cannot be used why.

    Args:
        split: the split that is read.
        read: from `compiled`.
        specs: of the labels in the samples.
    """

    def __init__(self, split: Split, read: Any, specs: Iterable[LabelSpec]):
        self.split, self.read = split, read
        self.kinds = {spec.name: kinds.of(spec) for spec in specs}

    def __call__(self, index: int) -> tuple[Tree, str | None]:
        """Return a sample, of arrays, and None; or, of one that cannot be used, nothing and the sentence why."""
        try:
            sample = tf.nest.map_structure(lambda x: x.numpy(), self.read(tf.constant(index, tf.int64)))
        except tf.errors.OpError:
            return {}, self.split.diagnose(index)
        return ({}, self.split.diagnose(index)) if self.is_wrong(sample) else (sample, None)

    def is_wrong(self, sample: Tree) -> bool:
        """Whether a sample, of arrays, has labels with values that mean nothing."""
        return any(kind.is_wrong(sample["labels"][name]) for name, kind in self.kinds.items())


def visit(
    split: Split, read: Any, specs: tuple[LabelSpec, ...], problems: Problems, memory: Keeper | None = None
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
    examine = Examiner(split, read, specs)
    if split.trusted and memory and _all_good(examine, memory):
        return np.arange(len(split.shapes))

    def problem(index: int) -> str | None:
        sample, message = examine(index)
        if memory and message is None:
            memory.put(index, sample)
        return message

    good: list[int] = []
    for index, message in enumerate(at_once(problem, range(len(split.shapes)))):
        if message:
            problems.report(message)
            split.lose(index, message)
        else:
            good.append(index)
    return np.array(good, np.int64)


def _all_good(examine: Examiner, memory: Keeper) -> bool:
    """Read every sample in one graph, at two thirds of the time; stops at the first that cannot be used."""
    samples = tf.data.Dataset.range(len(examine.split.shapes)).map(examine.read, num_parallel_calls=tf.data.AUTOTUNE)
    try:
        for index, sample in enumerate(samples.as_numpy_iterator()):
            if examine.is_wrong(sample):
                return False
            memory.put(index, sample)
    except tf.errors.OpError:
        return False
    return True
