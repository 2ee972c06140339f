"""What the replicas of a step have to do with each other."""

from typing import Any

import tensorflow as tf


def sum_over_replicas(value: Any) -> Any:
    """Return the sum of a tensor, or of each of a list of tensors, over the replicas."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return value
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def sum_before(value: tf.Tensor) -> tf.Tensor:
    """Return the sum of a number `[]` over the replicas before this one, 0 on the first."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return tf.zeros_like(value)
    count, own = context.num_replicas_in_sync, tf.cast(context.replica_id_in_sync_group, tf.int32)
    each = sum_over_replicas(tf.one_hot(own, count, dtype=tf.float32) * tf.cast(value, tf.float32))
    return tf.cast(tf.reduce_sum(each * tf.sequence_mask(own, count, tf.float32)), value.dtype)
