"""Which cells of a pyramid learn which objects."""

import tensorflow as tf

from pipelines.kinds import spec
from visionmtl.tasks.boxes.geometry import pairwise_iou, pairwise_nwd
from visionmtl.tasks.boxes.rule import USUAL, Rule


def _inside(centres: tf.Tensor, steps: tf.Tensor, boxes: tf.Tensor, cells: float = 1.0) -> tf.Tensor:
    """Return which centres lie in which boxes `[B, M, N]`; a box smaller than so many cells is grown to their size.

    Without the growth an object that falls between the centres would have no point to learn it.
    """
    inside = True
    for axis in (0, 1):
        low, high = boxes[..., axis, None], boxes[..., axis + 2, None]
        reach = tf.maximum((high - low) / 2, steps * (cells / 2))
        inside &= tf.abs(centres[:, axis] - (low + high) / 2) <= reach
    return inside


def assign(
    scores: tf.Tensor,
    boxes: tf.Tensor,
    centres: tf.Tensor,
    steps: tf.Tensor,
    true_boxes: tf.Tensor,
    true_classes: tf.Tensor,
    rule: Rule = USUAL,
) -> dict[str, tf.Tensor]:
    """Match points with objects by how well a point classifies AND localises an object.

    The alignment of a point with an object is `score ** 0.5 * IoU ** 6`, unless the rule has it otherwise. Each object
    takes its best aligned points among those inside it; a point wanted by several objects goes to the one it overlaps
    most.

    Args:
        scores: `[B, N, C]` probabilities predicted now.
        boxes: `[B, N, 4]` boxes predicted now.
        centres: `[N, 2]` and steps: `[N]`, from `points`.
        true_boxes: `[B, M, 4]`.
        true_classes: int32 `[B, M]`, -1 past the last object, -2 for a region that is not learnt.
        rule: how many points an object takes, and by what.

    Returns:
        For each point `[B, N]`: `positive`, whether an object took it; `object`, that object's index (0 where none);
        `alignment` in 0..1, its alignment relative to its object's best point (0 where none); `quality` in 0..1, the
        score it should predict: that alignment times its object's best IoU; `ignored`, whether it lies in an ignored
        region and no object took it.

    Reference: Feng et al. 2021, TOOD: Task-aligned One-stage Object Detection, section 3.2.
    """
    real = true_classes >= 0
    inside = _inside(centres, steps, true_boxes, rule.region)
    # The floor keeps all points of an object in the race: none may overlap it in the first steps.
    overlap = pairwise_iou(true_boxes, boxes) + 1e-3
    near = tf.maximum(overlap, pairwise_nwd(true_boxes, boxes)) if rule.closeness == "nwd" else overlap
    sure = tf.sqrt(scores) if rule.score_power == 0.5 else scores**rule.score_power
    score = tf.gather(tf.transpose(sure, (0, 2, 1)), tf.maximum(true_classes, 0), batch_dims=1)
    cube = near * near * near
    placed = cube * cube if rule.overlap_power == 6 else near**rule.overlap_power
    alignment = tf.where(inside & real[..., None], (score + 1e-3) * placed, 0.0)
    last = tf.math.top_k(alignment, k=tf.minimum(rule.candidates, tf.shape(scores)[1])).values[..., -1:]
    taken = (alignment >= last) & (alignment > 0)

    owner = tf.argmax(tf.where(taken, overlap, 0.0), axis=1, output_type=tf.int32)
    own = taken & (tf.range(tf.shape(true_boxes)[1])[:, None] == owner[:, None])
    aligned = tf.where(own, alignment, 0.0)
    relative = aligned / (tf.reduce_max(aligned, axis=2, keepdims=True) + 1e-30)
    best = tf.reduce_max(tf.where(own, overlap, 0.0), axis=2, keepdims=True)
    positive = tf.reduce_any(taken, axis=1)
    inside = _inside(centres, steps, true_boxes) if rule.region != 1 else inside
    ignored = tf.reduce_any(inside & (true_classes == spec.CROWD)[..., None], axis=1)
    return {
        "positive": positive,
        "object": owner,
        "alignment": tf.reduce_max(relative, axis=1),
        "quality": tf.minimum(tf.reduce_max(relative * best, axis=1), 1.0),
        "ignored": ignored & ~positive,
    }
