"""Training, evaluation and resuming of runs: from a recipe to a run folder and the figures in it.

From outside come `train`, `resume`, `replay`, `evaluate` and `check`, `runs`, and `building` for what a recipe stands
for. What watches a training is in `callbacks/`, what is drawn of it in `report/plots/`: each finds what is new itself.
"""

from visionmtl.training.measuring import evaluate
from visionmtl.training.replaying import replay
from visionmtl.training.session import check, resume, train

__all__ = ["check", "evaluate", "replay", "resume", "train"]
