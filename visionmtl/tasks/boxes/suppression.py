"""One box an object out of those of many cells, padded to a fixed number of rows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import tensorflow as tf

from pipelines.kinds.spec import PADDING

OVERLAP = 0.45  # boxes of one class whose IoU is more are one object
LEAST = 0.01  # no box scores less
APART = ContextVar("apart", default=False)


@contextmanager
def class_by_class() -> Iterator[None]:
    """Make graphs that are traced within, of one picture, suppress the boxes of each class by an operation of its own.

    LiteRT has no suppression for several classes at once.
    """
    before = APART.set(True)
    try:
        yield
    finally:
        APART.reset(before)


def suppress(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    limit: int = 100,
    iou_threshold: float = OVERLAP,
    score_threshold: float = LEAST,
    candidates: int = 300,
) -> dict[str, tf.Tensor]:
    """Keep each class's best boxes that do not overlap a better one of their class, padded to `limit` an image.

    Args:
        boxes: `[B, N, 4]`.
        scores: `[B, N, C]`.
        limit: boxes kept in an image.
        iou_threshold: boxes of one class that overlap more than this count as one object.
        score_threshold: boxes below it are dropped.
        candidates: boxes of a class that enter the comparison.

    Returns:
        `boxes` `[B, limit, 4]` (0 past the last), `scores` `[B, limit]`, `classes` int32 `[B, limit]` (`PADDING` past
        the last), `count` int32 `[B]`.
    """
    corners = tf.gather(boxes, [1, 0, 3, 2], axis=-1)
    if APART.get():
        return _suppress_apart(boxes, corners, scores, limit, iou_threshold, score_threshold)
    kept = tf.image.combined_non_max_suppression(
        corners[:, :, None],
        scores,
        max_output_size_per_class=min(limit, candidates),
        max_total_size=limit,
        iou_threshold=iou_threshold,
        score_threshold=score_threshold,
        clip_boxes=False,
    )
    valid = tf.range(limit)[None] < kept.valid_detections[:, None]
    return {
        "boxes": tf.gather(kept.nmsed_boxes, [1, 0, 3, 2], axis=-1),
        "scores": kept.nmsed_scores,
        "classes": tf.where(valid, tf.cast(kept.nmsed_classes, tf.int32), PADDING),
        "count": kept.valid_detections,
    }


def _suppress_apart(
    boxes: tf.Tensor, corners: tf.Tensor, scores: tf.Tensor, limit: int, iou_threshold: float, score_threshold: float
) -> dict[str, tf.Tensor]:
    """Return what `suppress` does for one picture, by an operation for each class."""
    picked, reached, labels = [], [], []
    for label in range(scores.shape[2]):
        own = scores[0, :, label]
        indices, count = tf.raw_ops.NonMaxSuppressionV4(
            boxes=corners[0],
            scores=own,
            max_output_size=limit,
            iou_threshold=iou_threshold,
            score_threshold=score_threshold,
            pad_to_max_output_size=True,
        )
        picked.append(indices)
        reached.append(tf.where(tf.range(limit) < count, tf.gather(own, indices), -1.0))
        labels.append(tf.fill((limit,), label))
    best = tf.math.top_k(tf.concat(reached, axis=0), k=limit)
    valid = best.values >= 0
    found = tf.gather(boxes[0], tf.gather(tf.concat(picked, axis=0), best.indices))
    return {
        "boxes": tf.where(valid[:, None], found, 0.0)[None],
        "scores": tf.where(valid, best.values, 0.0)[None],
        "classes": tf.where(valid, tf.gather(tf.concat(labels, axis=0), best.indices), PADDING)[None],
        "count": tf.reduce_sum(tf.cast(valid, tf.int32))[None],
    }


def at_least(found: Mapping[str, tf.Tensor], least: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return boxes as `suppress` gives them without those that score less than `least` `[B, limit]`, padded again."""
    real = (found["classes"] != PADDING) & (found["scores"] >= least)
    best = tf.math.top_k(tf.where(real, found["scores"], -1.0), k=found["scores"].shape[1])
    valid = best.values >= 0
    return {
        "boxes": tf.where(valid[..., None], tf.gather(found["boxes"], best.indices, batch_dims=1), 0.0),
        "scores": tf.where(valid, best.values, 0.0),
        "classes": tf.where(valid, tf.gather(found["classes"], best.indices, batch_dims=1), PADDING),
        "count": tf.reduce_sum(tf.cast(valid, tf.int32), axis=1),
    }
