"""Values that cannot be, looked for in the graph of a step and told on the host, in a sentence."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from visionmtl.errors import UsageError

MOST = 64  # kinds of fault that are told apart


class Fault(NamedTuple):
    """Whether a batch has a fault, bool `[]`, and the value that shows it, a number `[]`."""

    there: tf.Tensor
    value: tf.Tensor


class Faults:
    """What was found wrong with the values of batches, in the graph of the steps that saw them.

    Nothing of it is saved, and no update depends on it. A step only counts; to read the counts is to wait for the
    device, so that they are told after the first, second, fourth, ... step and at the end of an epoch.

    Args:
        wanted: whether anything is looked for at all.
    """

    def __init__(self, wanted: bool):
        self.wanted = wanted
        self.sentences: list[str] = []
        self._steps = 0
        once = {"aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
        self._active = tf.Variable(True, trainable=False, synchronization=tf.VariableSynchronization.ON_WRITE, **once)
        # Each replica counts for itself: a step that breaks off leaves no other waiting for it.
        own = {"aggregation": tf.VariableAggregation.SUM, "synchronization": tf.VariableSynchronization.ON_READ}
        self._counts, self._values, self._seen = (tf.Variable(tf.zeros(MOST), trainable=False, **own) for _ in range(3))

    def look(self, active: bool) -> None:
        """Have the coming steps look, or not."""
        if self.wanted:
            self._active.assign(active)

    def note(self, look: Callable[[], Mapping[str, Fault]]) -> list[Any]:
        """Count the faults of a batch, in graph, if this step is to look.

        Args:
            look: returns them by the sentence that tells each, in which `{}` stands for the value.

        Returns:
            What must have run before anything that a fault could stop.
        """
        if not self.wanted:
            return []
        sentences: list[str] = []

        def looked() -> tuple[tf.Tensor, tf.Tensor]:
            found = look()
            sentences[:] = found
            there = tf.stack([tf.cast(fault.there, tf.float32) for fault in found.values()])
            values = tf.stack([tf.cast(fault.value, tf.float32) for fault in found.values()])
            return there, tf.where(there > 0, values, 0.0)

        def passed() -> tuple[tf.Tensor, tf.Tensor]:
            return tf.zeros(len(sentences)), tf.zeros(len(sentences))

        there, values = tf.cond(self._active, looked, passed)
        if not sentences:
            return []
        self.sentences += [sentence for sentence in sentences if sentence not in self.sentences]
        places = tf.constant([[self.sentences.index(sentence)] for sentence in sentences])
        here = tf.scatter_nd(places, there, [MOST])
        new = tf.where((self._counts < 1) & (here > 0), 1.0, 0.0)
        with tf.control_dependencies([new]):
            values = self._values.assign_add(new * tf.scatter_nd(places, values, [MOST]))
            seen = self._seen.assign_add(new)
        with tf.control_dependencies([values, seen]):
            counts = self._counts.assign_add(here)
        return [tf.convert_to_tensor(counts)]

    def after_step(self) -> None:
        """Tell what was found, if this is the first step, the second, the fourth, ..."""
        self._steps += 1
        if self._steps & (self._steps - 1) == 0:
            self.tell()

    @contextlib.contextmanager
    def told_first(self) -> Iterator[None]:
        """Where values that cannot be stop an operation within, tell them in its place."""
        try:
            yield
        except tf.errors.InvalidArgumentError:
            self.tell()
            raise

    def tell(self) -> None:
        """Raise UsageError with the first fault that was found, if one was."""
        if not self.sentences:
            return
        counts = tf.convert_to_tensor(self._counts).numpy()
        for place, sentence in enumerate(self.sentences):
            if counts[place]:
                value = float(tf.convert_to_tensor(self._values)[place] / tf.convert_to_tensor(self._seen)[place])
                for variable in (self._counts, self._values, self._seen):
                    variable.assign(tf.zeros(MOST))
                raise UsageError(sentence.format(f"{value:g}"))
