"""A box that is kept, placed by all that say the same: the mean of those it stands for."""

from collections.abc import Mapping

import tensorflow as tf

from visionmtl.tasks.boxes.geometry import pairwise_iou

SAME = 0.6  # IoU from which on boxes vote; more than what suppresses, lest neighbours do
POWER = 2  # of a score, in the mean; see "Boxes that are voted on" in benchmarks/RESULTS.md
ROUNDS = 2
MOST = 1000  # boxes of an image that vote, those of the best scores


def vote(kept: Mapping[str, tf.Tensor], boxes: tf.Tensor, scores: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return boxes as `suppress` gives them, each the mean of all that overlap it, weighed by their squared scores.

    Many cells see one object, and the one with the best score need not have the best box. Those that overlap the mean
    vote once more, since the best scored may lie at the edge of its kind. Scores stay as they are.

    Args:
        kept: what `suppress` gave of the boxes and scores.
        boxes: `[B, N, 4]`.
        scores: `[B, N, C]`.

    Reference: Gidaris and Komodakis 2015, Object detection via a multi-region and semantic segmentation-aware CNN
    model, section 5 (box voting), here from an IoU of 0.6 on, by squares, and twice.
    """
    count = boxes.shape[1]
    most = tf.minimum(MOST, tf.shape(boxes)[1]) if count is None else min(MOST, count)
    order = tf.math.top_k(tf.reduce_max(scores, axis=-1), most).indices
    boxes, scores = (tf.gather(each, order, batch_dims=1) for each in (boxes, scores))
    of_class = tf.gather(tf.transpose(scores, (0, 2, 1)), tf.maximum(kept["classes"], 0), batch_dims=1)
    real = tf.range(kept["boxes"].shape[1])[None] < kept["count"][:, None]
    means = kept["boxes"]
    for _ in range(ROUNDS):
        weights = tf.cast(pairwise_iou(means, boxes) > SAME, tf.float32) * of_class**POWER
        total = tf.reduce_sum(weights, axis=-1, keepdims=True)
        voted = tf.math.divide_no_nan(tf.matmul(weights, boxes), total)
        means = tf.where(real[..., None] & (total > 0), voted, means)
    return {**kept, "boxes": means}
