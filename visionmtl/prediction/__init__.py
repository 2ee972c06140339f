"""Pictures through a trained model.

From outside come `predict`, which writes all it predicts, and `find`, `read` and `distinct_names` for the files. What
is written of a new kind of task, the task says itself (`Task.describe`, `Task.annotations`).
"""

from visionmtl.prediction.pictures import distinct_names, find, read
from visionmtl.prediction.predict import predict

__all__ = ["distinct_names", "find", "predict", "read"]
