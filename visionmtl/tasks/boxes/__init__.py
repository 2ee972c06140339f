"""Box mathematics on tensors: points of a pyramid, IoU, task-aligned assignment and padded suppression.

From outside comes what `__all__` lists. A new function is in the file of its kind, and a line here. Boxes are `x_min,
y_min, x_max, y_max` in pixels unless a docstring says otherwise. B images, M true boxes, N points, C classes.
"""

from pipelines.kinds import spec
from visionmtl.tasks.boxes.assignment import assign
from visionmtl.tasks.boxes.contrast import contrast
from visionmtl.tasks.boxes.geometry import (
    EPSILON,
    area,
    from_distances,
    giou,
    iou,
    pairwise_iou,
    pairwise_nwd,
    points,
    to_distances,
)
from visionmtl.tasks.boxes.overlaps import covered, overlaps
from visionmtl.tasks.boxes.picking import best
from visionmtl.tasks.boxes.rule import Rule
from visionmtl.tasks.boxes.suppression import LEAST, OVERLAP, at_least, class_by_class, suppress
from visionmtl.tasks.boxes.voting import vote

PADDING = spec.PADDING  # the class of a row past the last object
IGNORED = spec.CROWD  # the class of a region that is neither learnt nor counted

__all__ = [
    "EPSILON",
    "IGNORED",
    "LEAST",
    "OVERLAP",
    "PADDING",
    "Rule",
    "area",
    "assign",
    "at_least",
    "best",
    "class_by_class",
    "contrast",
    "covered",
    "from_distances",
    "giou",
    "iou",
    "overlaps",
    "pairwise_iou",
    "pairwise_nwd",
    "points",
    "suppress",
    "to_distances",
    "vote",
]
