"""Pictures and videos through a trained model: each written and recorded as it comes, whatever becomes of others.

From outside come `predict`; for the command line `run`, `video`, `merge` and what they are given; and `find`, `films`,
`read` and `distinct_names` for the files. What is written of a new kind of task, the task says itself (`Task.describe`,
`Task.annotations`); a new format of data sets is a file in `formats/`.
"""

from visionmtl.prediction import video
from visionmtl.prediction.asked import Options
from visionmtl.prediction.merging import merge
from visionmtl.prediction.pictures import distinct_names, films, find, read
from visionmtl.prediction.places import Shard
from visionmtl.prediction.predict import predict, run
from visionmtl.prediction.wanted import of_split, on_disk

__all__ = [
    "Options",
    "Shard",
    "distinct_names",
    "films",
    "find",
    "merge",
    "of_split",
    "on_disk",
    "predict",
    "read",
    "run",
    "video",
]
