"""Which samples an epoch takes, and in which order."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from pipelines.epochs.sampling import Sampling, apportioned, lag
from pipelines.errors import DataError

# From an epoch's number to the indices of its samples, int64 `[N]`, and the task each is drawn for, int32 `[N]`: its
# place among the tasks, or -1 for all, -2 for none.
Order = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
FOR_ALL, FOR_NONE = -1, -2


def in_turn(rows: np.ndarray) -> Order:
    """Return the order that every epoch has: that of the samples."""
    rows = tf.constant(rows, tf.int64)
    return lambda epoch: (rows, tf.fill([len(rows)], FOR_ALL))


def shuffled(rows: np.ndarray, seed: int) -> Order:
    """Return an order for each epoch, from the seed and its number alone."""
    rows = tf.constant(rows, tf.int64)

    def order(epoch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        keys = tf.random.stateless_uniform([len(rows)], tf.random.split([tf.constant(seed, tf.int64), epoch], 2)[0])
        return tf.gather(rows, tf.argsort(keys)), tf.fill([len(rows)], FOR_ALL)

    return order


class Mixture:
    """An order for each epoch that takes its fraction of each source.

    Every source has an endless order of its own, one pass after the other, each shuffled anew; an epoch goes on in it
    where the epoch before left off. So no image is taken twice before all of its source were taken once, however small
    its fraction. The samples of a source lie evenly over the epoch, and all follows from the seed, the epoch's number
    and, for `curriculum`, the losses of the epochs before.

    Args:
        rows: by source, the indices of its samples.
        labelled: by source, the tasks that it labels.
        tasks: all of them, in the order of the batch's labels.
        sampling: the fractions.
        batch_size: images in a batch; an epoch is whole batches.
        length: of an epoch: "longest" lasts until every source was taken once, "shortest" until the first was, by the
            fractions of the first epoch; or a number of batches. Of tasks in turn, the same is true of the images of
            each task.
        seed: of the orders.
        weights: returns float `[samples, K]`, of every sample whether it is labelled for each task; None for all.

    Raises:
        DataError: a source has no sample.
    """

    def __init__(
        self,
        rows: Mapping[str, np.ndarray],
        labelled: Mapping[str, tuple[str, ...]],
        tasks: Sequence[str],
        sampling: Sampling,
        batch_size: int,
        length: str | int = "longest",
        seed: int = 0,
        weights: Callable[[], np.ndarray] | None = None,
    ):
        for name, own in rows.items():
            if not len(own):
                raise DataError(f"Source '{name}' has no usable image to train on.")
        self.rows, self.labelled, self.tasks = dict(rows), labelled, tuple(tasks)
        self.sampling, self.batch_size, self.seed = sampling, batch_size, seed
        self.streams = list(rows.values())
        if sampling.method == "alternate":
            self.streams = [np.concatenate([rows[n] for n in rows if task in labelled[n]]) for task in tasks]
        self.steps = length if isinstance(length, int) else self._steps(length)
        self.weights = weights
        self.losses: list[dict[str, float]] = []

    def _steps(self, length: str) -> int:
        sizes = np.array([len(stream) for stream in self.streams])
        end = np.max if length == "longest" else np.min
        if self.sampling.method == "alternate":
            return max(1, int(end(sizes // self.batch_size))) * len(sizes)
        passes = np.round(sizes / self.sampling.fractions(sizes), 6)
        return max(1, int(end(passes) // self.batch_size))

    def observe(self, epoch: int, losses: Mapping[str, float]) -> None:
        """Take note of the losses of an epoch, by task; what was noted of it and later ones before is forgotten."""
        # As many digits as a history file keeps, so that a training resumed from it goes on as the first would have.
        self.losses[epoch:] = [{task: float(f"{loss:.8g}") for task, loss in losses.items()}]

    def quotas(self, epoch: int) -> np.ndarray:
        """Return how many samples of each source, or of each task in turn, an epoch takes: int64 `[S]`."""
        total = self.steps * self.batch_size
        sizes = [len(stream) for stream in self.streams]
        if self.sampling.method == "alternate":
            turns = np.bincount(self._turns(epoch), minlength=len(self.streams))
            return turns * self.batch_size
        known = self.losses[:epoch]
        lags = [lag(self.labelled[name], known) for name in self.rows] if known else None
        return apportioned(total, self.sampling.fractions(sizes, epoch, lags))

    def _turns(self, epoch: int) -> np.ndarray:
        """The task of each batch of an epoch, going on where the last one ended."""
        return (np.arange(self.steps) + epoch * self.steps) % len(self.streams)

    def __call__(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the samples of an epoch in order, and the place of the task each is drawn for, or -1 for all."""
        epoch = int(epoch)
        starts = sum((self.quotas(earlier) for earlier in range(epoch)), np.zeros(len(self.streams), np.int64))
        stretches = zip(range(len(starts)), starts, self.quotas(epoch), strict=True)
        drawn = [self._stretch(*stretch) for stretch in stretches]
        if self.sampling.method == "alternate":
            turns, places = self._turns(epoch), [0] * len(drawn)
            batches = []
            for task in turns:
                batches.append(drawn[task][places[task] : places[task] + self.batch_size])
                places[task] += self.batch_size
            return np.concatenate(batches), np.repeat(turns, self.batch_size).astype(np.int32)
        random = np.random.default_rng([self.seed, epoch, len(self.streams)])
        when = [(np.arange(len(own)) + random.random(len(own))) / max(1, len(own)) for own in drawn]
        rows = np.concatenate(drawn)[np.argsort(np.concatenate(when), kind="stable")]
        return rows, np.full(len(rows), FOR_ALL, np.int32)

    def _stretch(self, stream: int, start: int, count: int) -> np.ndarray:
        """Return `count` samples of a source's endless order from place `start` on."""
        rows = self.streams[stream]
        passes = range(start // len(rows), -(-(start + count) // len(rows)))
        orders = [np.random.default_rng([self.seed, stream, number]).permutation(rows) for number in passes]
        first = start % len(rows)
        return np.concatenate([np.empty(0, np.int64), *orders])[first : first + count].astype(np.int64)

    def order(self, epoch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The same, in graph."""
        rows, turns = tf.numpy_function(self, [epoch], (tf.int64, tf.int32), stateful=True)
        total = self.steps * self.batch_size
        return tf.ensure_shape(rows, [total]), tf.ensure_shape(turns, [total])

    def report(self, epoch: int) -> dict[str, float]:
        """Return what an epoch took: `share/<source>`, and `labelled/<task>`, the fraction labelled for it."""
        rows, turns = self(epoch)
        weights = None if self.weights is None else self.weights()
        taken = {f"share/{name}": float(np.isin(rows, own).mean()) for name, own in self.rows.items()}
        for place, task in enumerate(self.tasks):
            its = (turns == FOR_ALL) | (turns == place)
            taken[f"labelled/{task}"] = float((its if weights is None else weights[rows, place] * its).mean())
        return taken
