"""The best boxes of an image where each object has one: nothing is compared, nothing suppressed."""

import tensorflow as tf

from pipelines.kinds.spec import PADDING
from visionmtl.tasks.boxes.suppression import LEAST


def best(boxes: tf.Tensor, scores: tf.Tensor, limit: int = 100, score_threshold: float = LEAST) -> dict[str, tf.Tensor]:
    """Return the boxes of the best scores of all classes, padded to `limit` an image.

    Args:
        boxes: `[B, N, 4]`, N known.
        scores: `[B, N, C]`, C known.
        limit: boxes kept in an image.
        score_threshold: boxes below it are dropped.

    Returns:
        What `suppress` returns.

    Reference: Wang et al. 2024, YOLOv10: Real-Time End-to-End Object Detection, section 3.1.
    """
    points, classes = scores.shape[1:]
    # first of cells, or all scores of 9,000 cells would be sorted
    cells = tf.math.top_k(tf.reduce_max(scores, axis=-1), min(limit, points)).indices
    held = min(limit, points) * classes
    kept = tf.math.top_k(tf.reshape(tf.gather(scores, cells, batch_dims=1), (-1, held)), min(limit, held))
    places = tf.gather(cells, kept.indices // classes, batch_dims=1)
    valid = kept.values >= score_threshold
    rows = [[0, 0], [0, limit - min(limit, held)]]
    found = tf.where(valid[..., None], tf.gather(boxes, places, batch_dims=1), 0.0)
    return {
        "boxes": tf.pad(found, [*rows, [0, 0]]),
        "scores": tf.pad(tf.where(valid, kept.values, 0.0), rows),
        "classes": tf.pad(tf.where(valid, kept.indices % classes, PADDING), rows, constant_values=PADDING),
        "count": tf.reduce_sum(tf.cast(valid, tf.int32), axis=1),
    }
