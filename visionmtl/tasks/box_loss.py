"""What a detection loses on the cells of a batch: of their scores, and of the boxes of those that took an object."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from visionmtl.tasks import boxes
from visionmtl.tasks.cells import BINS, Cells, placed


def sums_and_amounts(
    task: Any, cells: Cells, objects: tf.Tensor, classes: tf.Tensor, rule: boxes.Rule
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the sum of the losses of each image `[B]`, and of the alignments of its cells `[B]`.

    Args:
        task: whose `box_weight`, `distance_weight` and `label_smoothing` are taken.
        cells: N of each image.
        objects: boxes `[B, M, 4]` in pixels of the network's input.
        classes: int32 `[B, M]`, as `boxes.assign` takes them.
        rule: how many cells an object takes, and by what.

    Reference: Li et al. 2020, Generalized Focal Loss; Feng et al. 2021, TOOD.
    """
    logits, distances, centres, steps, _ = cells
    predicted, scores = tf.stop_gradient(cells.boxes()), tf.sigmoid(logits)
    matched = boxes.assign(tf.stop_gradient(scores), predicted, centres, steps, objects, classes, rule)
    matched = {name: tf.stop_gradient(value) for name, value in matched.items()}

    named = tf.gather(classes, matched["object"], batch_dims=1)
    target = tf.one_hot(named, logits.shape[2]) * matched["quality"][..., None]
    if task.label_smoothing:
        target = target * (1 - task.label_smoothing) + task.label_smoothing * 0.01
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(target, logits) * (target - scores) ** 2
    entropy *= tf.cast(~matched["ignored"], tf.float32)[..., None]

    # Boxes are learnt where there are objects, at one point in eighty: only those are looked at.
    where = tf.where(matched["positive"])
    image, point = where[:, 0], where[:, 1]
    spread, centre, step = tf.gather_nd(distances, where), tf.gather(centres, point), tf.gather(steps, point)
    truth = tf.gather_nd(tf.gather(objects, matched["object"], batch_dims=1), where)
    overlap = 1 - boxes.giou(placed(spread, centre, step), truth)
    bins = distribution_focal(spread, boxes.to_distances(centre, truth) / step[:, None])
    per_box = (task.box_weight * overlap + task.distance_weight * bins) * tf.gather_nd(matched["alignment"], where)
    per_image = tf.math.unsorted_segment_sum(per_box, image, tf.shape(logits)[0])
    return tf.reduce_sum(entropy, axis=(1, 2)) + per_image, tf.reduce_sum(matched["alignment"], axis=1)


def trimmed(labels: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Return boxes and classes without the columns that pad every image: matching costs what the fullest needs."""
    classes = tf.cast(labels["classes"], tf.int32)
    used = tf.reduce_max(tf.reduce_sum(tf.cast(classes != boxes.PADDING, tf.int32), axis=1))
    used = tf.maximum(used, 1)
    return tf.cast(labels["boxes"], tf.float32)[:, :used], classes[:, :used]


def distribution_focal(logits: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Return the distribution focal loss `[P]`: cross-entropy with the two bins around each true distance.

    A side beyond the last bin is learnt as far as that goes: another level of the head reaches it. One on the near side
    of the centre, as of an object smaller than a cell, is learnt as a distance of 0.

    Args:
        logits: of distributions, `[P, 4, BINS]`.
        target: distances in strides, `[P, 4]`.
    """
    target = tf.clip_by_value(target, 0.0, BINS - 1.01)
    weights = tf.maximum(1 - tf.abs(tf.range(BINS, dtype=tf.float32) - target[..., None]), 0.0)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(weights, logits), axis=-1)
