"""What the replicas of a step have to do with each other."""

from typing import Any

import tensorflow as tf


def sum_over_replicas(value: Any) -> Any:
    """Return the sum of a tensor, or of each of a list of tensors, over the replicas."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def replica() -> int | tf.Tensor:
    """Return the number of this replica, from 0."""
    context = tf.distribute.get_replica_context()
    return 0 if context is None else context.replica_id_in_sync_group
