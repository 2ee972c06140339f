"""Metrics: statistics in the graph on every replica, figures from them on the host; one file a kind of prediction."""

from visionmtl.metrics.classification import Accuracy, MultiLabel, average_precision
from visionmtl.metrics.depth import DepthError, known_depth
from visionmtl.metrics.detection import CocoAveragePrecision
from visionmtl.metrics.metric import Metric
from visionmtl.metrics.segmentation import MeanIoU

__all__ = [
    "Accuracy",
    "CocoAveragePrecision",
    "DepthError",
    "MeanIoU",
    "Metric",
    "MultiLabel",
    "average_precision",
    "known_depth",
]
