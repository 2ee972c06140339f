"""Values that cannot be, looked for in the graph of a step and told on the host, in a sentence."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError
from visionmtl.workers import ALONE, Workers, replicas_of

MOST = 64  # kinds of fault that are told apart


Found = Mapping[str, tuple[tf.Tensor, tf.Tensor]]  # by sentence: whether it is there, and a value that shows it


class Faults:
    """What was found wrong with the values of batches, in the graph of the steps that saw them.

    Nothing of it is saved, and no update depends on it. A step only counts; to read the counts is to wait for the
    device, so that they are told after the first, second, fourth, ... step and at the end of an epoch.

    Args:
        wanted: whether anything is looked for at all.
        workers: that tell of a fault together, whoever has found it.
    """

    def __init__(self, wanted: bool, workers: Workers = ALONE):
        self.wanted, self.workers = wanted, workers
        self.sentences: list[str] = []
        self._steps = 0
        # Each replica counts for itself: a step that breaks off leaves no other waiting for it.
        own = {"aggregation": tf.VariableAggregation.SUM, "synchronization": tf.VariableSynchronization.ON_READ}
        self._counts, self._values, self._seen = (tf.Variable(tf.zeros(MOST), trainable=False, **own) for _ in range(3))

    def note(self, look: Callable[[], Found]) -> list[tf.Tensor]:
        """Count the faults of a batch, in graph.

        Args:
            look: returns them by the sentence that tells each, in which `{}` stands for the value.

        Returns:
            What must have run before anything that a fault could stop.
        """
        found = look() if self.wanted else {}
        if not found:
            return []
        self.sentences += [sentence for sentence in found if sentence not in self.sentences]
        places = tf.constant([[self.sentences.index(sentence)] for sentence in found])
        there = tf.stack([tf.cast(there, tf.float32) for there, _ in found.values()])
        values = tf.stack([tf.cast(value, tf.float32) for _, value in found.values()])
        here = tf.scatter_nd(places, there, [MOST])
        new = tf.where((self._counts < 1) & (here > 0), 1.0, 0.0)
        with tf.control_dependencies([new]):
            seen = self._seen.assign_add(new)
            shown = self._values.assign_add(tf.scatter_nd(places, tf.where(there > 0, values, 0.0), [MOST]) * new)
        with tf.control_dependencies([seen, shown]):
            return [tf.convert_to_tensor(self._counts.assign_add(here))]

    def after_step(self) -> None:
        """Tell what was found, if this is the first step, the second, the fourth, ..."""
        self._steps += 1
        if self._steps & (self._steps - 1) == 0:
            self.tell()

    @contextlib.contextmanager
    def told_first(self) -> Iterator[None]:
        """Where values that cannot be stop what is done within, in an operation or a metric, tell them in its place."""
        try:
            yield
        except Exception:
            self.tell(here=True)
            raise

    def tell(self, here: bool = False) -> None:
        """Raise UsageError with the first fault that was found, if one was; by all workers alike, or `here` alone."""
        if not self.sentences:
            return
        own = [_sum(each) for each in (self._counts, self._values, self._seen)]
        said = [own] if here else self.workers.arrays(own)
        counts, values, seen = (sum(parts[1:], parts[0]) for parts in zip(*said, strict=True))
        for place, sentence in enumerate(self.sentences):
            if counts[place]:
                value = float(values[place] / seen[place])
                for variable in (self._counts, self._values, self._seen):
                    variable.assign(tf.zeros(MOST))
                raise UsageError(sentence.format(f"{value:g}"))


def _sum(variable: Any) -> np.ndarray:
    """Return what the replicas of this process count together."""
    parts = [own.numpy() for own in replicas_of(variable)]
    return sum(parts[1:], parts[0])
