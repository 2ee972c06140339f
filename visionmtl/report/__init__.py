"""What a run has to show: its page, its plots, tables, and the diagram of a model.

From outside come `write`, which makes the page, `document`, `plots` and `tables`. A new plot is one file in `plots/`.
"""

from visionmtl.report.page import write

__all__ = ["write"]
