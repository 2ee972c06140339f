"""Samples checked as they are first met: so a training on very many files begins at once."""

import atexit
import gc
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.contract import Split, Tree
from pipelines.errors import Problems
from pipelines.kinds import of as kind_of
from pipelines.kinds.spec import LabelSpec
from pipelines.pixels.geometry import GREY
from pipelines.samples.memory import Memory, Reader
from pipelines.samples.reading import Examiner, Read, at_once, compiled

AT_ONCE = 5 * 10**8  # pixels that are decoded before the first step: 1,500 photographs, seconds on two cores
EACH = 20_000  # pixels decoded in the time that it takes to open a file
UNMET, SOUND, KEPT, LOST = range(4)  # what is known of a sample

# What is left of a pass that failed is freed while Python still runs: its threads may be on their way into it.
atexit.register(gc.collect)


def is_much(split: Split) -> bool:
    """Whether to read all samples of a split takes so long that a training should not wait for it."""
    return int(split.read_shapes.astype(np.int64).prod(axis=1).sum()) + EACH * len(split.shapes) > AT_ONCE


class Meeting:
    """What is known of the samples of a split, each of which is checked when it is first read.

    In the graph, a sample known to be sound is read as ever. Any other is read here: checked, kept if there is memory,
    and if it cannot be used, its sentence is reported. Where that does not end the epoch, the sample is grey from then
    on and of weight 0 for every task, so that the order of all others stays.

    Args:
        split: the split that is read.
        read: from a scalar index to a sample, in graph.
        specs: of the labels in the samples.
        problems: told of each sample that cannot be used.
        rows: of the boxes of a sample.
        lost: called with the index of each sample that is left out.
        memory: where samples are kept, allocated; None: nowhere.
        size: height and width of the samples, if they are in place already.
    """

    def __init__(
        self,
        split: Split,
        read: Read,
        specs: tuple[LabelSpec, ...],
        problems: Problems,
        rows: int,
        lost: Callable[[int], None],
        memory: Memory | None = None,
        size: tuple[int, int] | None = None,
    ):
        self.split, self.specs, self.problems = split, specs, problems
        self.rows, self.lost, self.memory, self.size = rows, lost, memory, size
        self.states = np.full(len(split.shapes), UNMET, np.uint8)
        self.lock = Lock()
        self.in_graph = read
        once = compiled(read)
        self.layout: Tree = once.structured_outputs
        self.examine = Examiner(split, once, specs)
        self.grey = compiled(self._grey)

    def reader(self) -> Reader:
        """Return what reads the samples while training."""
        return Reader(self.read, placed=self.size is not None, known=self.sound)

    def sound(self, rows: tf.Tensor) -> tf.Tensor:
        """Return which samples are known to be sound and are read in graph: bool `[N]` of indices `[N]`, in graph."""
        sound = tf.numpy_function(lambda rows: self.states[rows] == SOUND, [rows], tf.bool)
        return tf.ensure_shape(sound, rows.shape)

    def read(self, index: tf.Tensor, sound: tf.Tensor) -> Tree:
        """Return a sample, in graph; `sound` says that it is known to be."""

        def met() -> Tree:
            specs = tf.nest.flatten(self.layout)
            values = tf.numpy_function(self._met, [index], [spec.dtype for spec in specs])
            shaped = [tf.ensure_shape(value, spec.shape) for value, spec in zip(values, specs, strict=True)]
            return tf.nest.pack_sequence_as(self.layout, shaped)

        if self.memory:
            return met()
        return tf.cond(sound, lambda: self.in_graph(index), met)

    @property
    def usable(self) -> np.ndarray:
        """Which samples are not known to be of no use, bool `[N]`."""
        return self.states != LOST

    def verify(self) -> None:
        """Read every sample that was not met yet."""
        unmet = np.flatnonzero(self.states == UNMET)
        for _ in at_once(self.meet, unmet.tolist()):
            pass

    def meet(self, index: int) -> Tree:
        """Return a sample, of arrays, as it is from now on.

        Raises:
            DataError: it cannot be used, and such are not left out.
        """
        if self.memory and self.states[index] == KEPT:
            return self.memory.get(index)
        if self.states[index] != LOST:
            sample, message = self.examine(index)
            if message is None:
                if self.memory:
                    self.memory.put(index, sample)
                self.states[index] = KEPT if self.memory else SOUND
                return sample
            self._lose(index, message)
        return tf.nest.map_structure(lambda x: x.numpy(), self.grey(tf.constant(index, tf.int64)))

    def _met(self, index: np.int64) -> list[Any]:
        with tf.device("CPU"):
            return tf.nest.flatten(self.meet(int(index)))

    def _lose(self, index: int, message: str) -> None:
        with self.lock:  # a sample may be drawn twice in an epoch, and met by two threads
            if self.states[index] != LOST:
                self.problems.report(message)
                self.split.lose(index, message)
                self.states[index] = LOST
                self.lost(index)

    def _grey(self, index: tf.Tensor) -> Tree:
        """The sample, in graph, that stands for one that cannot be used."""
        shape = tf.constant(self.split.shapes, tf.int32)[index] if self.size is None else tf.constant(self.size)
        grey = tf.fill(tf.concat([shape, [3]], axis=0), tf.constant(GREY, tf.uint8))
        labels = {spec.name: kind_of(spec).unlabelled(shape, self.rows) for spec in self.specs}
        weights = {spec.name: tf.constant(0.0) for spec in self.specs}
        return {"image": grey, "labels": labels, "weights": weights}
