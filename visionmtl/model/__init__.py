"""The multi-task model: its assembly, its growing, its evaluation."""

from visionmtl.model.multi_task import MultiTaskModel

__all__ = ["MultiTaskModel"]
