"""What a training step sends to other replicas: counted as it is traced."""

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf


@contextlib.contextmanager
def counted() -> Iterator[list[int]]:
    """Give a list that gets, of each tensor that the first replica has summed over all, its bytes.

    They are those of the step as it is traced within the context; a ring sends 2 (N - 1) / N times as many from each of
    N replicas.
    """
    kind: Any = tf.distribute.ReplicaContext
    whole, sizes = kind.all_reduce, list[int]()

    def all_reduce(self: Any, how: Any, value: Any, options: Any = None) -> Any:
        if int(tf.get_static_value(self.replica_id_in_sync_group) or 0) == 0:
            sizes.extend((each.shape.num_elements() or 1) * each.dtype.size for each in tf.nest.flatten(value))
        return whole(self, how, value, options)

    kind.all_reduce = all_reduce
    try:
        yield sizes
    finally:
        kind.all_reduce = whole
