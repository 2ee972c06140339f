"""Data sets whose batches the data workers of a tf.data service make: the same, in the same order, as are read here."""

import queue
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError
from pipelines.service import address, python_free
from pipelines.service.in_order import in_order
from pipelines.service.numbered import Numbered

SILENCE = 120.0  # seconds without a batch after which this machine reads itself
ROOM = 10**9  # bytes of batches that may wait for one before them
LEAST = 16  # of which as many may wait whatever they take
GONE = (tf.errors.UnavailableError, tf.errors.DeadlineExceededError, tf.errors.AbortedError, tf.errors.CancelledError)


class Service:
    """The data workers of a tf.data service, of which any makes any batch.

    They are asked for the numbers of the batches that are left, each for other ones, and this machine puts what comes
    in order. A batch that does not come, as its data worker has gone, is read here, so that an epoch has each sample
    once and is the same with any number of data workers, and after an interruption.

    Args:
        where: the address, `grpc://host:port`.

    Raises:
        DataError: that is none, or nobody answers there.
    """

    def __init__(self, where: str):
        address.reach(where)
        self.where = where

    def dataset(self, numbered: Callable[[int], Numbered], tick: Callable[[], np.ndarray] | None) -> tf.data.Dataset:
        """Return the data set of a split.

        Args:
            numbered: from the number of an epoch to its batches.
            tick: returns the numbers of the next epoch and of its first batch; None where every pass is the same.

        Raises:
            DataError: only this process could make its batches.
        """
        with tf.device("CPU"):
            first = numbered(0)
            layout = first.of(range(first.total))
            python_free.check(layout)
            kept = None if tick else (first, self._served(layout))
        self.room = max(LEAST, ROOM // _bytes(layout.element_spec))

        def batches() -> Iterator[Any]:
            epoch, start = (0, 0) if tick is None else map(int, tick())
            with tf.device("CPU"):  # no yield within: each is gone on from by another thread
                whole = kept[0] if kept else numbered(epoch)
            left = range(start, whole.total)
            yield from self._read(whole, left, lambda: kept[1] if kept else self._served(whole.of(left)))

        data = tf.data.Dataset.from_generator(batches, output_signature=layout.element_spec[1])
        return data.apply(tf.data.experimental.assert_cardinality(first.total)).prefetch(2)

    def _served(self, data: tf.data.Dataset) -> tf.data.Dataset:
        mode = tf.data.experimental.service.ShardingPolicy.DYNAMIC
        made: tf.data.Dataset = data.apply(tf.data.experimental.service.distribute(mode, self.where))
        return made

    def _read(self, whole: Numbered, left: range, served: Callable[[], tf.data.Dataset]) -> Iterator[Any]:
        """Yield the batches of a pass that are left, and tell in the end how many of them were read here."""
        arrivals, lost = _Arrivals(self.where, served), list[int]()

        def here(number: int) -> Any:
            with tf.device("CPU"):
                return next(iter(whole.of(range(number, number + 1))))[1]

        try:
            yield from in_order(left, arrivals, here, self.room, lost.append)
        finally:
            arrivals.close()
        if lost and not arrivals.told:
            warnings.warn(
                f"{len(lost)} of {len(left)} batches were read here: the data workers of {self.where} that had begun"
                " them have gone, or lag far behind the others.",
                stacklevel=2,
            )


class _Arrivals:
    """Batches as data workers send them, taken by a thread of its own, so that who waits can stop waiting.

    Attributes:
        told: whether a user was told that no more will come.
    """

    def __init__(self, where: str, served: Callable[[], tf.data.Dataset]):
        self.where, self.told = where, False
        self._came: queue.Queue[Any] = queue.Queue(maxsize=4)
        self._closed = threading.Event()
        threading.Thread(target=self._take, args=(served,), daemon=True, name="data service").start()

    def get(self) -> tuple[int, Any] | None:
        """Return the next batch with its number; None if no more will come.

        Raises:
            DataError: a data worker cannot read what it was given.
        """
        try:
            came = self._came.get(timeout=SILENCE)
        except queue.Empty:
            self._tell(f"have sent nothing for {SILENCE:.0f} seconds")
            return None
        if isinstance(came, GONE):
            self._tell("have gone")
            return None
        if isinstance(came, Exception):
            raise DataError(
                f"A data worker of {self.where} failed ({str(came).splitlines()[0]}): data workers must see the same"
                f" files under the same paths as this machine, and have its TensorFlow, {tf.__version__}."
            ) from came
        return came if came is None else (int(came[0]), came[1])

    def close(self) -> None:
        """Take no more."""
        self._closed.set()

    def _tell(self, what: str) -> None:
        self.told = True
        warnings.warn(
            f"The data workers of {self.where} {what}: this machine reads the rest of this pass itself.", stacklevel=2
        )

    def _take(self, served: Callable[[], tf.data.Dataset]) -> None:
        try:
            with tf.device("CPU"):
                for came in served():
                    if not self._put(came):
                        return
            self._put(None)
        except Exception as error:
            self._put(error)

    def _put(self, came: Any) -> bool:
        while not self._closed.is_set():
            try:
                self._came.put(came, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False


def _bytes(spec: Any) -> int:
    """Return the bytes of a batch."""
    return sum((each.shape.num_elements() or 1) * each.dtype.size for each in tf.nest.flatten(spec))
