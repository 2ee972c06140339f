"""CSV in and out: rows that a training writes by epoch or by step, reads back and goes on with."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from visionmtl.files import told, written_whole


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
    names = _names(rows, first)
    with written_whole(path) as partial:
        partial.write_bytes(_lines([dict(zip(names, names, strict=True)), *rows], names))


class Growing:
    """A file of rows that come one after another: written whole at first, then longer by what is new.

    It is written whole again where a row has a column that it lacks, or where somebody changed it meanwhile.

    Args:
        path: the file.
        first: columns that are there in any case, as for `write`.
    """

    def __init__(self, path: Path, first: Sequence[str] = ()):
        self.path, self.first = path, first
        self.begin([])

    def begin(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Let the file have these rows, and those that are added, once it is written."""
        self._new: list[Mapping[str, Any]] = list(rows)
        self._names: list[str] | None = None  # of the columns of the file, once it is written
        self._size = 0  # bytes of it

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row, to be written with the others."""
        self._new.append(row)

    def write(self) -> None:
        """Write what is new.

        Raises:
            UsageError: it cannot be written; what was whole in the file still is.
        """
        if self._names is None:
            self._write_whole(self._new)
        elif not self._as_left() or not {name for row in self._new for name in row} <= {*self._names}:
            self._write_whole([*read(self.path), *self._new])
        elif self._new:
            lines = _lines(self._new, self._names)
            with told(self.path):
                try:
                    with self.path.open("ab") as file:
                        file.write(lines)
                        file.flush()
                        os.fsync(file.fileno())
                except OSError:
                    os.truncate(self.path, self._size)
                    raise
            self._size += len(lines)
        self._new = []

    def _as_left(self) -> bool:
        return self.path.is_file() and self.path.stat().st_size == self._size

    def _write_whole(self, rows: Sequence[Mapping[str, Any]]) -> None:
        write(self.path, rows, self.first)
        self._names, self._size = _names(rows, self.first), self.path.stat().st_size


def _names(rows: Sequence[Mapping[str, Any]], first: Sequence[str]) -> list[str]:
    """Return the columns of some rows."""
    return list(dict.fromkeys([*first, *(name for row in rows for name in row)]))


def _lines(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    """Return rows as they stand in a file."""
    lines = io.StringIO(newline="")
    csv.DictWriter(lines, names, restval="").writerows(rows)
    return lines.getvalue().encode()
