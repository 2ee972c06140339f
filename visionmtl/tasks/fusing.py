"""Boxes that several views of a picture gave, made one set."""

from collections.abc import Sequence

import tensorflow as tf

from visionmtl.tasks import boxes
from visionmtl.tasks.views import View

CLUSTER = 0.7  # of one object are boxes of a class whose IoU with what they are fused to is more
ONCE = 0.6  # boxes of a class and a view whose IoU is more are one object
Found = dict[str, tf.Tensor]  # as `boxes.suppress` gives it


def mirrored(corners: tf.Tensor, width: float) -> tf.Tensor:
    """Return boxes `[..., 4]` of a mirrored picture so wide, where the picture has them."""
    x_min, y_min, x_max, y_max = tf.unstack(corners, axis=-1)
    return tf.stack([width - x_max, y_min, width - x_min, y_max], axis=-1)


def brought(
    candidates: tuple[tf.Tensor, tf.Tensor, tuple[int, int]], view: View, size: tuple[int, int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return boxes `[B, N, 4]` of a view and their scores, where the picture itself has them.

    Args:
        candidates: boxes, scores, and the size of image in whose pixels the boxes are.
        view: how it was seen.
        size: of the picture itself, as the network sees it.
    """
    corners, scores, (height, width) = candidates
    corners *= tf.constant([size[1] / width, size[0] / height] * 2, corners.dtype)
    return mirrored(corners, size[1]) if view.flipped else corners, scores


def fused(views: Sequence[Found], classes: int, overlap: float = CLUSTER) -> Found:
    """Return boxes that are the means of those of all views that lie on each other, weighed by their scores.

    In the order of their scores each box joins that of the means of its class which it overlaps most, if by more than
    `overlap`, or else begins one. The score of one is the mean of its boxes' scores, times the fraction of the views
    that have it. A view has an object once: of its boxes that overlap by more than 0.6, which those that were voted on
    may, the best one alone is fused, or the mean of the scores would be one of doubles.

    Args:
        views: what was found in each, all in the same pixels.
        classes: how many there are.
        overlap: an IoU.

    Returns:
        As many boxes as a view has, the best first, in the form of `boxes.suppress`.

    Reference: Solovyev et al. 2021, Weighted boxes fusion: Ensembling boxes from different object detection models,
    section 3, whose IoU is 0.55; where views give more boxes than there are views, they count as all.
    """
    views = [_once(view, classes) for view in views]
    found = {key: tf.concat([view[key] for view in views], axis=1) for key in ("boxes", "scores", "classes")}
    limit = views[0]["boxes"].shape[1]
    scores, order = tf.math.top_k(tf.where(found["classes"] >= 0, found["scores"], 0.0), found["scores"].shape[1])
    corners, labels = (tf.gather(found[key], order, batch_dims=1) for key in ("boxes", "classes"))
    batch, most = tf.shape(scores)[0], scores.shape[1]
    places = tf.range(most)

    def join(i: tf.Tensor, sums: tf.Tensor, totals: tf.Tensor, counts: tf.Tensor, kinds: tf.Tensor) -> tuple:
        box, score, kind = corners[:, i], scores[:, i], labels[:, i]
        means = tf.math.divide_no_nan(sums, totals[..., None])
        iou = tf.where((kinds == kind[:, None]) & (counts > 0), boxes.iou(means, box[:, None]), -1.0)
        best = tf.argmax(iou, axis=1, output_type=tf.int32)
        new = tf.reduce_sum(tf.cast(counts > 0, tf.int32), axis=1)  # the first that is free
        place = tf.where(tf.reduce_max(iou, axis=1) > overlap, best, new)
        here = (places == place[:, None]) & (score > 0)[:, None]
        own = tf.cast(here, tf.float32)
        added = own * score[:, None]
        kinds = tf.where(here, kind[:, None], kinds)
        return i + 1, sums + added[..., None] * box[:, None], totals + added, counts + own, kinds

    nothing = tf.zeros((batch, most))
    start = (0, tf.zeros((batch, most, 4)), nothing, nothing, tf.fill((batch, most), boxes.PADDING))
    used = tf.reduce_max(tf.reduce_sum(tf.cast(scores > 0, tf.int32), axis=1))
    _, sums, totals, counts, kinds = tf.while_loop(lambda i, *_: i < used, join, start)
    share = tf.minimum(counts, float(len(views))) / len(views)
    best = tf.math.top_k(tf.math.divide_no_nan(totals, counts) * share, limit)
    means = tf.gather(tf.math.divide_no_nan(sums, totals[..., None]), best.indices, batch_dims=1)
    kept = best.values > 0
    return {
        "boxes": means,
        "scores": best.values,
        "classes": tf.where(kept, tf.gather(kinds, best.indices, batch_dims=1), boxes.PADDING),
        "count": tf.reduce_sum(tf.cast(kept, tf.int32), axis=1),
    }


def _once(view: Found, classes: int) -> Found:
    """Return what was found in a view without boxes that lie on a better one of their class."""
    scores = tf.one_hot(view["classes"], classes) * view["scores"][..., None]
    return boxes.suppress(view["boxes"], scores, limit=view["boxes"].shape[1], iou_threshold=ONCE)
