"""Box mathematics on tensors: points of a pyramid, IoU, task-aligned assignment and padded suppression.

Boxes are `x_min, y_min, x_max, y_max` in pixels unless a docstring says otherwise. B images, M true boxes, N points,
C classes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import tensorflow as tf

from pipelines.kinds import spec

EPSILON = 1e-7
PADDING = spec.PADDING  # the class of a row past the last object
IGNORED = spec.CROWD  # the class of a region that is neither learnt nor counted
OVERLAP = 0.6  # boxes of one class whose IoU is more are one object
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


def points(shapes: Sequence[tuple[int, int]], strides: Sequence[int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the centres of a pyramid's cells, level after level, row by row.

    Args:
        shapes: height and width of each level's map.
        strides: pixels between neighbouring cells of each level.

    Returns:
        Centres `[N, 2]` as x, y in pixels, and the stride `[N]` of each.
    """
    centres, steps = [], []
    for (height, width), stride in zip(shapes, strides, strict=True):
        x = (tf.range(width, dtype=tf.float32) + 0.5) * stride
        y = (tf.range(height, dtype=tf.float32) + 0.5) * stride
        grid = tf.stack(tf.meshgrid(x, y), axis=-1)
        centres.append(tf.reshape(grid, (-1, 2)))
        steps.append(tf.fill((tf.shape(centres[-1])[0],), tf.cast(stride, tf.float32)))
    return tf.concat(centres, axis=0), tf.concat(steps, axis=0)


def from_distances(centres: tf.Tensor, distances: tf.Tensor) -> tf.Tensor:
    """Return boxes `[..., N, 4]` from distances `[..., N, 4]` (left, top, right, bottom) to centres `[N, 2]`."""
    return tf.concat([centres - distances[..., :2], centres + distances[..., 2:]], axis=-1)


def to_distances(centres: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
    """Return the distances (left, top, right, bottom) of the sides of boxes `[..., N, 4]` from centres `[N, 2]`."""
    return tf.concat([centres - boxes[..., :2], boxes[..., 2:] - centres], axis=-1)


def area(boxes: tf.Tensor) -> tf.Tensor:
    """Return the area `[...]` of boxes `[..., 4]` in square pixels; 0 for a box turned inside out."""
    size = tf.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return size[..., 0] * size[..., 1]


def _overlap(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the intersection and the union of boxes that broadcast against each other."""
    corner = tf.minimum(a[..., 2:], b[..., 2:]) - tf.maximum(a[..., :2], b[..., :2])
    corner = tf.maximum(corner, 0.0)
    intersection = corner[..., 0] * corner[..., 1]
    return intersection, area(a) + area(b) - intersection


def iou(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the intersection over union `[...]` of boxes `[..., 4]` and `[..., 4]` that broadcast.

    Example:
        >>> round(float(iou(tf.constant([0.0, 0, 2, 2]), tf.constant([1.0, 0, 3, 2]))), 3)
        0.333
    """
    intersection, union = _overlap(a, b)
    return intersection / (union + EPSILON)


def giou(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the generalised IoU `[...]`, in -1..1, of boxes that broadcast.

    Reference: Rezatofighi et al. 2019, Generalized Intersection over Union, algorithm 1.
    """
    intersection, union = _overlap(a, b)
    hull = tf.maximum(a[..., 2:], b[..., 2:]) - tf.minimum(a[..., :2], b[..., :2])
    hull = hull[..., 0] * hull[..., 1]
    return intersection / (union + EPSILON) - (hull - union) / (hull + EPSILON)


def _inside(centres: tf.Tensor, steps: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
    """Return which centres lie in which boxes `[B, M, N]`; a box smaller than a cell is grown to the size of one.

    Without the growth an object that falls between the centres would have no point to learn it.
    """
    inside = True
    for axis in (0, 1):
        low, high = boxes[..., axis, None], boxes[..., axis + 2, None]
        reach = tf.maximum((high - low) / 2, steps / 2)
        inside &= tf.abs(centres[:, axis] - (low + high) / 2) <= reach
    return inside


def pairwise_iou(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the IoU `[B, M, N]` of every box of `[B, M, 4]` with every box of `[B, N, 4]`.

    Side by side it equals `iou` on broadcast boxes; axis by axis it needs half the memory.
    """
    sides = []
    for axis in (0, 1):
        high = tf.minimum(a[..., axis + 2, None], b[:, None, :, axis + 2])
        low = tf.maximum(a[..., axis, None], b[:, None, :, axis])
        sides.append(tf.maximum(high - low, 0.0))
    intersection = sides[0] * sides[1]
    return intersection / (area(a)[..., None] + area(b)[:, None] - intersection + EPSILON)


def assign(
    scores: tf.Tensor,
    boxes: tf.Tensor,
    centres: tf.Tensor,
    steps: tf.Tensor,
    true_boxes: tf.Tensor,
    true_classes: tf.Tensor,
    candidates: int = 10,
) -> dict[str, tf.Tensor]:
    """Match points with objects by how well a point classifies AND localises an object.

    The alignment of a point with an object is `score ** 0.5 * IoU ** 6`. Each object takes its `candidates` best
    aligned points among those inside it; a point wanted by several objects goes to the one it overlaps most.

    Args:
        scores: `[B, N, C]` probabilities predicted now.
        boxes: `[B, N, 4]` boxes predicted now.
        centres: `[N, 2]` and steps: `[N]`, from `points`.
        true_boxes: `[B, M, 4]`.
        true_classes: int32 `[B, M]`, `PADDING` past the last object, `IGNORED` for a region that is not learnt.
        candidates: points an object may take.

    Returns:
        For each point `[B, N]`: `positive`, whether an object took it; `object`, that object's index (0 where none);
        `alignment` in 0..1, its alignment relative to its object's best point (0 where none); `quality` in 0..1, the
        score it should predict: that alignment times its object's best IoU; `ignored`, whether it lies in an ignored
        region and no object took it.

    Reference: Feng et al. 2021, TOOD: Task-aligned One-stage Object Detection, section 3.2.
    """
    real = true_classes >= 0
    inside = _inside(centres, steps, true_boxes)
    # The floor keeps all points of an object in the race: none may overlap it in the first steps.
    overlap = pairwise_iou(true_boxes, boxes) + 1e-3
    score = tf.gather(tf.transpose(tf.sqrt(scores), (0, 2, 1)), tf.maximum(true_classes, 0), batch_dims=1)
    cube = overlap * overlap * overlap
    alignment = tf.where(inside & real[..., None], (score + 1e-3) * cube * cube, 0.0)
    last = tf.math.top_k(alignment, k=tf.minimum(candidates, tf.shape(scores)[1])).values[..., -1:]
    taken = (alignment >= last) & (alignment > 0)

    owner = tf.argmax(tf.where(taken, overlap, 0.0), axis=1, output_type=tf.int32)
    own = taken & (tf.range(tf.shape(true_boxes)[1])[:, None] == owner[:, None])
    aligned = tf.where(own, alignment, 0.0)
    relative = aligned / (tf.reduce_max(aligned, axis=2, keepdims=True) + 1e-30)
    best = tf.reduce_max(tf.where(own, overlap, 0.0), axis=2, keepdims=True)
    positive = tf.reduce_any(taken, axis=1)
    ignored = tf.reduce_any(inside & (true_classes == IGNORED)[..., None], axis=1)
    return {
        "positive": positive,
        "object": owner,
        "alignment": tf.reduce_max(relative, axis=1),
        "quality": tf.minimum(tf.reduce_max(relative * best, axis=1), 1.0),
        "ignored": ignored & ~positive,
    }


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
