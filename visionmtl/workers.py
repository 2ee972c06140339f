"""The workers of a training on several machines: their numbers, and what they tell each other between steps."""

import itertools
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError, own_mistake

T = TypeVar("T")
JOBS = ("chief", "worker")  # of a cluster, in the order of their numbers; the first of all is the chief


class Workers:
    """The workers that train one model together, each a process of its own; of any other training there is one.

    What is asked here is asked by all workers at the same place, or those that ask wait for the others. It is small,
    and goes over the network that gradients go over.

    Args:
        strategy: of the model.

    Attributes:
        number: of this worker, from 0, which is the chief.
        count: how many there are.

    Example:
        >>> alone = visionmtl.workers.Workers()
        >>> alone.number, alone.count, alone.is_chief, alone.each([3, 4])
        (0, 1, True, [[3, 4]])
    """

    def __init__(self, strategy: tf.distribute.Strategy | None = None):
        self.strategy, self.number, self.count = strategy, 0, 1
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            resolver = strategy.cluster_resolver
            jobs = resolver.cluster_spec().as_dict()
            tasks = [(job, index) for job in JOBS for index in range(len(jobs.get(job, ())))]
            if len(tasks) > 1:
                self.number, self.count = tasks.index((resolver.task_type, resolver.task_id)), len(tasks)

    @property
    def is_chief(self) -> bool:
        """Whether this is the one that writes."""
        return self.number == 0

    @property
    def several(self) -> bool:
        """Whether there are others."""
        return self.count > 1

    def each(self, numbers: Sequence[int]) -> list[list[int]]:
        """Return what every worker gave, in the order of their numbers: as many whole numbers each, below 2^31."""
        if not self.several:
            return [list(numbers)]
        table = np.zeros((self.count, len(numbers)), np.int32)
        table[self.number] = numbers
        return self._sum(table.reshape(-1)).reshape(table.shape).tolist()

    def arrays(self, own: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
        """Return the arrays that every worker gave, in the order of their numbers; their shapes may differ."""
        if not self.several:
            return [list(own)]
        return [_arrays(message) for message in self._messages(_message(own))]

    def texts(self, own: str) -> list[str]:
        """Return the texts that every worker gave, in the order of their numbers."""
        return [each.decode() for each in self._messages(own.encode())] if self.several else [own]

    def chiefs(self, value: Callable[[], Any]) -> Any:
        """Return what the chief's function returned, as JSON has it; the others' are not called.

        Raises:
            UsageError: the chief's did, on all of them.
        """
        if not self.several:
            return value()
        done = self.together(value if self.is_chief else lambda: None)
        return json.loads(self._messages(json.dumps(done, default=float).encode())[0])

    def together(self, work: Callable[[], T]) -> T:
        """Return what this worker's function returned, once those of all have.

        Raises:
            UsageError, DataError: this worker's did, or another one's, whose mistake all tell.
        """
        if not self.several:
            return work()
        done: list[T] = []
        mistake: Exception | None = None
        try:
            done.append(work())
        except Exception as error:
            if own_mistake(error) is None:
                raise
            mistake = error
        told = self.texts(str(mistake or ""))
        if mistake is not None:
            raise mistake
        for number, sentence in enumerate(told):
            if sentence:
                raise UsageError(f"Worker {number}: {sentence}")
        return done[0]

    def chiefs_arrays(self, arrays: Callable[[], Sequence[np.ndarray]]) -> list[np.ndarray]:
        """Return the arrays that the chief's function returned; the others' are not called."""
        return self.arrays(arrays() if self.is_chief else [])[0]

    def meet(self) -> None:
        """Wait until every worker is here."""
        self.each([0])

    def _messages(self, own: bytes) -> list[bytes]:
        lengths = [length for (length,) in self.each([len(own)])]
        words = [-(-length // 4) for length in lengths]
        ends = np.cumsum([0, *words])
        whole = np.zeros(ends[-1], np.int32)
        padded = own + b"\0" * (-len(own) % 4)
        whole[ends[self.number] : ends[self.number + 1]] = np.frombuffer(padded, np.int32)
        whole = self._sum(whole)
        parts = [whole[start:end].tobytes() for start, end in itertools.pairwise(ends)]
        return [part[:length] for part, length in zip(parts, lengths, strict=True)]

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return self._summed(tf.constant(values, tf.int32)).numpy() if len(values) else values

    @cached_property
    def _summed(self) -> Any:
        """The sum over all workers of int32 `[N]`, of which all have as many."""
        strategy: Any = self.strategy

        def summed(values: tf.Tensor) -> tf.Tensor:
            return strategy.reduce("SUM", tf.identity(values), axis=None)

        return tf.function(summed, input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)


ALONE = Workers()


def replicas_of(variable: Any) -> list[tf.Variable]:
    """Return what the replicas of this process hold of a variable, one each."""
    inner = variable.value if isinstance(variable, keras.Variable) else variable
    return list(inner.values) if isinstance(inner, tf.distribute.DistributedValues) else [inner]


def _message(arrays: Sequence[np.ndarray]) -> bytes:
    """Return arrays as bytes: the length of a header, the header, and what it names."""
    header = json.dumps([[array.dtype.str, list(array.shape)] for array in arrays]).encode()
    return b"".join([len(header).to_bytes(8, "little"), header, *(each.tobytes() for each in arrays)])


def _arrays(message: bytes) -> list[np.ndarray]:
    end = 8 + int.from_bytes(message[:8], "little")
    arrays = []
    for dtype, shape in json.loads(message[8:end]):
        kind, count = np.dtype(dtype), int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(message, kind, count, end).reshape(shape).copy())
        end += count * kind.itemsize
    return arrays
