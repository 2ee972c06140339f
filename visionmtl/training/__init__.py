"""Training, evaluation and resuming of runs: from a recipe to a run folder and the figures in it."""

from visionmtl.training.measuring import evaluate
from visionmtl.training.session import check, resume, train

__all__ = ["check", "evaluate", "resume", "train"]
