"""The batches of a pass, each a function of its number alone, so that anybody may make any of them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf


class Numbered(NamedTuple):
    """The batches of a pass.

    Attributes:
        total: how many there are, numbered from 0.
        made: from a data set of numbers, int64 `[]`, to one of batches `(number, (images, labels, weights))`.
    """

    total: int
    made: Callable[[tf.data.Dataset], tf.data.Dataset]

    def of(self, numbers: range) -> tf.data.Dataset:
        """Return some of them."""
        return self.made(tf.data.Dataset.range(numbers.start, numbers.stop))


class Traced:
    """Makes the batches of every pass by the same two functions, which are traced once; passes differ in their draws.

    Args:
        sampled: from the draws of a sample to it and them.
        finished: from samples stacked, and their draws, to `(images, labels, weights)`.
        part: samples in a batch, of this worker.
        drop_remainder: whether a last, smaller batch is left out.
    """

    def __init__(self, sampled: Callable, finished: Callable, part: int, drop_remainder: bool):
        self.sampled: Any = tf.function(sampled, autograph=False)
        self.finished: Any = tf.function(finished, autograph=False)
        self.part, self.drop_remainder = part, drop_remainder

    def batches(self, drawn: Any, numbers: tf.data.Dataset) -> tf.data.Dataset:
        """Return batches behind their numbers, from what is drawn for the N samples of a pass and some numbers."""
        graph, part = tf.autograph.experimental.do_not_convert, self.part

        def rows(number: tf.Tensor) -> tf.data.Dataset:
            own = tf.nest.map_structure(lambda rows: rows[number * part : (number + 1) * part], drawn)
            return tf.data.Dataset.from_tensor_slices((own, tf.fill(tf.shape(own["index"])[:1], number)))

        def read(own: Any, number: tf.Tensor) -> tuple:
            return (*self.sampled(own), number)

        def stacked(batch: Any, own: Any, number: tf.Tensor) -> tuple:
            return number[0], self.finished(batch, own)

        data = numbers.flat_map(graph(rows)).map(graph(read), num_parallel_calls=tf.data.AUTOTUNE)
        data = data.batch(part, drop_remainder=self.drop_remainder)
        return data.map(graph(stacked), num_parallel_calls=tf.data.AUTOTUNE)
