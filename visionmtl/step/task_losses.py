"""Each task's mean loss over the samples labelled for it on all replicas, as the shares that this replica has in it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf


class Shares(NamedTuple):
    """The losses of K tasks in a batch.

    Attributes:
        parts: `parts * K`, what the samples of each part of this replica's batch add to each task's mean loss.
        losses: `[K]`, the mean losses; 0 for a task without labels.
        counts: `[K]`, the sums of the samples' weights on all replicas.
        in_part: `[parts, K]`, the same of each part.
    """

    parts: list[tf.Tensor]
    losses: tf.Tensor
    counts: tf.Tensor
    in_part: tf.Tensor


def shares(
    losses: Mapping[str, tf.Tensor],
    weights: Mapping[str, tf.Tensor] | None,
    names: Sequence[str],
    reduce: Callable[[tf.Tensor], tf.Tensor],
    parts: int = 1,
) -> Shares:
    """Return the shares of a batch's losses.

    Args:
        losses: of each sample `[B]`, by task; a task without labels is not there.
        weights: of each sample `[B]`, by task; 1 where none is given.
        names: the tasks, in the order of what is returned.
        reduce: sums a tensor over the replicas.
        parts: into how many parts the samples are dealt out in turn.
    """
    sums: list[list[tf.Tensor]] = [[] for _ in range(parts)]
    counts: list[list[tf.Tensor]] = [[] for _ in range(parts)]
    for name in names:
        for part in range(parts):
            if name not in losses:
                sums[part].append(tf.constant(0.0))
                counts[part].append(tf.constant(0.0))
                continue
            loss, weight = losses[name], None if weights is None else weights.get(name)
            weight = tf.ones_like(loss) if weight is None else tf.reshape(tf.cast(weight, tf.float32), tf.shape(loss))
            if parts > 1:
                weight *= tf.cast(_places(tf.shape(loss)[0]) % parts == part, tf.float32)
            sums[part].append(tf.reduce_sum(tf.where(weight > 0, loss * weight, 0.0)))
            counts[part].append(tf.reduce_sum(weight))
    in_part = reduce(tf.stack([tf.stack(row) for row in counts]))
    everywhere = tf.reduce_sum(in_part, axis=0)
    # Apart until here: the gradient of one element of a stack reaches what the others were made of, as zeros.
    found = [tf.math.divide_no_nan(total, everywhere[task]) for row in sums for task, total in enumerate(row)]
    local = tf.reduce_sum(tf.reshape(tf.stack(found), (parts, len(names))), axis=0)
    return Shares(found, reduce(tf.stop_gradient(local)), everywhere, in_part)


def _places(count: tf.Tensor) -> tf.Tensor:
    """Return the places of this replica's samples in the whole batch, of which each replica has as many."""
    context = tf.distribute.get_replica_context()
    replica = 0 if context is None else context.replica_id_in_sync_group
    return tf.range(count) + tf.cast(replica, tf.int32) * count
