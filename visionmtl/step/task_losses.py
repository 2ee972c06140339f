"""Each task's mean loss over the samples labelled for it on all replicas, and what this replica adds to it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from visionmtl.step.replicas import sum_before, sum_over_replicas


class TaskLosses(NamedTuple):
    """The losses of K tasks in a batch.

    Attributes:
        local: K a sub-batch: what its samples on this replica add to each task's mean loss.
        means: `[K]`, the mean losses over all replicas; 0 for a task without labels.
        counts: `[K]`, the sums of the samples' weights on all replicas.
        sub_counts: `[sub-batches, K]`, the same of each sub-batch.
        present: `[K]`, 1 for a task with labels in this batch, else 0.
        samples: how many samples this replica has, whatever they are labelled for.
    """

    local: list[tf.Tensor]
    means: tf.Tensor
    counts: tf.Tensor
    sub_counts: tf.Tensor
    present: tf.Tensor
    samples: tf.Tensor


def task_losses(
    losses: Mapping[str, tf.Tensor],
    weights: Mapping[str, tf.Tensor] | None,
    names: Sequence[str],
    sub_batches: int = 1,
) -> TaskLosses:
    """Return the tasks' losses in a batch, of which this replica has a slice.

    Args:
        losses: of each sample `[B]`, by task; a task without labels is not there.
        weights: of each sample `[B]`, by task; 1 where none is given.
        names: the tasks, in the order of what is returned.
        sub_batches: into how many sub-batches the samples are dealt out in turn.
    """
    samples = tf.shape(next(iter(losses.values())))[0]
    dealt = None if sub_batches == 1 else (tf.range(samples) + sum_before(samples)) % sub_batches
    sums: list[list[tf.Tensor]] = [[] for _ in range(sub_batches)]
    counts: list[list[tf.Tensor]] = [[] for _ in range(sub_batches)]
    for name in names:
        for number in range(sub_batches):
            if name not in losses:
                sums[number].append(tf.constant(0.0))
                counts[number].append(tf.constant(0.0))
                continue
            loss, weight = losses[name], None if weights is None else weights.get(name)
            weight = tf.ones_like(loss) if weight is None else tf.reshape(tf.cast(weight, tf.float32), tf.shape(loss))
            if dealt is not None:
                weight *= tf.cast(dealt == number, tf.float32)
            sums[number].append(tf.reduce_sum(tf.where(weight > 0, loss * weight, 0.0)))
            counts[number].append(tf.reduce_sum(weight))
    sub_counts = sum_over_replicas(tf.stack([tf.stack(row) for row in counts]))
    everywhere = tf.reduce_sum(sub_counts, axis=0)
    # Apart until here: the gradient of one element of a stack reaches what the others were made of, as zeros.
    local = [tf.math.divide_no_nan(total, everywhere[task]) for row in sums for task, total in enumerate(row)]
    means = tf.reduce_sum(tf.reshape(tf.stack(local), (sub_batches, len(names))), axis=0)
    means = sum_over_replicas(tf.stop_gradient(means))
    present = tf.cast(everywhere > 0, tf.float32)
    return TaskLosses(local, means, everywhere, sub_counts, present, tf.cast(samples, tf.float32))


def over_amounts(sums: tf.Tensor, amounts: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
    """Return sums of each sample divided by the mean amount of the samples labelled on all replicas.

    A batch that holds less than 1 in all is taken to hold 1.

    Args:
        sums: `[B]`, of this replica's samples; or `[B, T]`, of T terms that are added once each is divided.
        amounts: of the same shape, at least 0; no gradient goes back through them.
        weights: `[B]`, 0 where a sample is not labelled; None where all are.
    """
    sums, amounts = (tf.reshape(each, (tf.shape(sums)[0], -1)) for each in (sums, amounts))
    weights = tf.ones_like(sums[:, :1]) if weights is None else tf.reshape(tf.cast(weights, tf.float32), (-1, 1))
    held = tf.where(weights > 0, tf.stop_gradient(amounts) * weights, 0.0)
    told = sum_over_replicas(tf.concat([tf.reduce_sum(weights, axis=0), tf.reduce_sum(held, axis=0)], axis=0))
    return tf.reduce_sum(sums * (told[0] / tf.maximum(told[1:], 1.0)), axis=1)
