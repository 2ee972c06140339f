"""What a detection predicts: of the boxes of all cells those that are objects, of one view of a picture or several.

A `task` is a `Detection`, whose `classes`, `shown`, `end_to_end`, `iou_threshold` and `vote` are read.
"""

from typing import Any

import tensorflow as tf

from visionmtl.tasks import boxes, cells, fitting, fusing
from visionmtl.tasks.task import READ, Outputs
from visionmtl.tasks.views import FUSE, VOTE, Seen

Candidates = tuple[tf.Tensor, tf.Tensor, tuple[int, int]]


def candidates(task: Any, outputs: Outputs) -> Candidates:
    """Return the boxes of all cells `[B, N, 4]`, their scores `[B, N, C]`, and the size of image they are pixels of."""
    found = cells.unpack(outputs, len(task.classes))
    placed, scores = found.boxes(), tf.sigmoid(found.logits)
    if READ in outputs:
        scores *= fitting.fit(placed, outputs[READ], task.shown, found.size)
    return placed, scores, found.size


def objects(task: Any, placed: tf.Tensor, scores: tf.Tensor) -> Outputs:
    """Return the boxes of one view that are objects, in the form of `boxes.suppress`."""
    return boxes.best(placed, scores) if task.end_to_end else _suppressed(task, placed, scores, task.vote)


def merged(task: Any, seen: Seen) -> Outputs:
    """Return the boxes of all views that are objects, in the pixels of the first.

    The boxes of all cells of all views are suppressed together, and vote together, as if one view had them all. Fused
    are the objects of each view instead.
    """
    size = seen.plain.size
    views = [fusing.brought(candidates(task, dict(view.outputs)), view, size) for view in seen.views]
    if seen.boxes == FUSE:
        return fusing.fused([objects(task, *each) for each in views], len(task.classes))
    placed, scores = (tf.concat(each, axis=1) for each in zip(*views, strict=True))
    return _suppressed(task, placed, scores, task.vote or seen.boxes == VOTE)


def _suppressed(task: Any, placed: tf.Tensor, scores: tf.Tensor, vote: bool) -> Outputs:
    kept = boxes.suppress(placed, scores, iou_threshold=task.iou_threshold)
    return boxes.vote(kept, placed, scores) if vote else kept
