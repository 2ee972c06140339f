"""CSV in and out: rows that a training writes by epoch or by step, reads back and goes on with."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from visionmtl.files import written_whole


def read(path: str | Path) -> list[dict[str, str]]:
    """Return the rows of a file, each by its columns' names; none if there is no file.

    Rows that are not whole, as where a file was cut, are told of and left out.
    """
    path = Path(path)
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        lines = [line for line in file if line.strip("\0\r\n")]
    rows = list(csv.DictReader(lines))
    whole = [row for row in rows if None not in row and None not in row.values()]
    if rows and whole and rows[-1] is whole[-1] and not lines[-1].endswith("\n"):
        whole.pop()  # its last cell may have had more digits
    if len(whole) < len(rows):
        print(f"'{path}' was cut or changed: {len(rows) - len(whole)} of {len(rows)} rows are not whole, and left out.")
    return whole


def rows_before(path: str | Path, column: str, number: int) -> list[dict[str, Any]]:
    """Return the rows whose `column`, that of their epoch or step, is below a number: those a training goes on with."""
    return [row for row in read(path) if row.get(column, "").isdecimal() and int(row[column]) < number]


def columns(path: str | Path) -> dict[str, np.ndarray]:
    """Return the columns of a file of numbers, float64 `[R]` by name; NaN where a cell is empty."""
    rows = read(path)
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in (rows[0] if rows else ())}


def write(path: Path, rows: Sequence[Mapping[str, Any]], first: Sequence[str] = ()) -> None:
    """Write rows, whole or not at all; what a row lacks is an empty cell.

    Args:
        path: the file.
        rows: values by the names of their columns.
        first: columns that are there in any case; the others follow in the order in which rows have them.
    """
    names = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, names, restval="")
        table.writeheader()
        table.writerows(rows)
