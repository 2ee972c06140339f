"""Trained runs of different tasks merged into one model on one backbone, without training.

From outside come `merge` and `METHODS`. A new way to merge is one file here with a function from task vectors to one,
and a line in `methods.py`; `task_vectors.py` takes them from models, `members.py` and `starts.py` say what may merge.
"""

from visionmtl.merging.merge import merge
from visionmtl.merging.methods import METHODS

__all__ = ["METHODS", "merge"]
