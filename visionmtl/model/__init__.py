"""The multi-task model: its assembly and necks, the names of its outputs, its growing, its evaluation.

From outside, import `MultiTaskModel`, and what checks its settings from `kept`. What it is made of is added elsewhere:
a task, a scheme, a balancer, a backbone.
"""

from visionmtl.model.multi_task import MultiTaskModel

__all__ = ["MultiTaskModel"]
