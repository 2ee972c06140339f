"""The source "csv": a CSV table.

From outside comes the one class below; `table.py` reads it, and `columns.py` lets kinds of label claim columns.
What it may be told is a field of that class, made by `base.option`.
"""

from pipelines.sources.csv.source import Csv

__all__ = ["Csv"]
