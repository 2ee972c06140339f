"""Predictions by Apache Beam, for pictures that outgrow one machine: an exported model and what `predict` writes.

From outside come `predict`, which does all of it, and the transforms `Predict`, of pictures into records, and `Write`,
of records into files that `visionmtl predict merge` joins. A further runtime is a `ModelHandler` as `served.Served`.
"""

from visionmtl.prediction.beam.picture import Picture
from visionmtl.prediction.beam.pipeline import predict
from visionmtl.prediction.beam.transforms import Predict, Write

__all__ = ["Picture", "Predict", "Write", "predict"]
