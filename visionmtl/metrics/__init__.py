"""Metrics: statistics in the graph on every replica, figures from them on the host; one file a kind of prediction.

From outside, import what `__all__` lists. A new metric is a file with a subclass of `Metric` and its name here; a task
returns it from its `metrics()`.
"""

from visionmtl.metrics.boundary import BoundaryIoU
from visionmtl.metrics.classification import Accuracy, MultiLabel, average_precision
from visionmtl.metrics.depth import CROPS, DepthError, known_depth
from visionmtl.metrics.detection import CocoAveragePrecision
from visionmtl.metrics.metric import Metric
from visionmtl.metrics.segmentation import MeanIoU

__all__ = [
    "CROPS",
    "Accuracy",
    "BoundaryIoU",
    "CocoAveragePrecision",
    "DepthError",
    "MeanIoU",
    "Metric",
    "MultiLabel",
    "average_precision",
    "known_depth",
]
