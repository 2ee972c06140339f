"""What a run has to show: its page, curves, charts, heat maps, tables, and the diagram of a model."""

from visionmtl.report.page import write

__all__ = ["write"]
