"""The source "csv": a CSV table.

From outside comes the one class below; `columns.py` lets kinds of label claim columns. `grid.py` parts a file into
cells, `roles.py` says what each column is, `boxes.py`, `cells.py` and `names.py` what stands in them, `images.py` finds
the pictures, `tables.py` the tables of a folder, and `rows.py` makes images of all that.
"""

from pipelines.sources.csv.source import Csv

__all__ = ["Csv"]
