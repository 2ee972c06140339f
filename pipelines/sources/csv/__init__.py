"""The source "csv": a CSV table.

From outside comes the one class below; `columns.py` lets kinds of label claim columns. `grid.py` parts a file into
cells; `roles.py` says what each column is, `leftovers.py` why one is not; `boxes.py`, `cells.py`, `names.py` read
what stands in them; `images.py` finds pictures, `tables.py` the tables of a folder; `rows.py` makes images of all that.
"""

from pipelines.sources.csv.source import Csv

__all__ = ["Csv"]
