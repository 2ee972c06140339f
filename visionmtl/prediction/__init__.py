"""Pictures through a trained model."""

from visionmtl.prediction.pictures import distinct_names, find, read
from visionmtl.prediction.predict import predict

__all__ = ["distinct_names", "find", "predict", "read"]
