"""The lines of a CSV file, every cell checked."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.accounts.account import Account
from pipelines.errors import DataError, one_of
from pipelines.kinds.spec import UNKNOWN
from pipelines.sources.csv.columns import Claim, claims
from pipelines.sources.files import layout
from pipelines.sources.files.entries import Annotation, Entry, corners, inside
from pipelines.splits import split_named

IMAGE = ("image", "image_path", "path", "file", "file_name", "filename")
LABEL = ("label", "class", "class_name", "category")
EDGES = (("x_min", "y_min", "x_max", "y_max"), ("xmin", "ymin", "xmax", "ymax"))
SPLIT = ("split", "subset")
PRESENT = {"1": 1.0, "0": 0.0, "": UNKNOWN}
Row = tuple[int, dict[str, str]]  # the number of the line, and its cells by the names of their columns


@dataclass(frozen=True)
class Table:
    """A CSV file and what its columns mean.

    Attributes:
        path: the file.
        images: the folder of the image files.
        rows: its lines.
        image: the column of the files.
        label: the column of class names, or None.
        labels: the columns that are classes.
        edges: the columns of a box, or none.
        split: the column of the splits, or None.
        more: what reads further columns, with those.
    """

    path: Path
    images: Path
    rows: list[Row]
    image: str
    label: str | None
    labels: tuple[str, ...]
    edges: tuple[str, ...]
    split: str | None
    more: tuple[Claim, ...] = ()

    @property
    def kinds(self) -> tuple:
        """What must be the same in all files of a data set."""
        return self.label, self.labels, self.edges, self.more


def read_table(
    path: Path, image: str | None, label: str | None, labels: tuple[str, ...] | None, images: str | None
) -> Table:
    """Read a CSV file and find its columns; `csv.csv` has the arguments.

    Raises:
        DataError: it is no CSV, or a column that is needed is not there.
    """
    rows = _rows(path)
    more = claims(list(rows[0][1]))
    columns = [column for column in rows[0][1] if not any(column in claim.names for claim in more)]
    where = f"'{path}': line 1: column"

    def find(wanted: str | None, names: Iterable[str]) -> str | None:
        if wanted is not None:
            return one_of(wanted, columns, where)
        return next((column for name in names for column in columns if column.lower() == name), None)

    file = find(image, IMAGE)
    if file is None:
        raise DataError(f"{where} of the image files is missing: expected one called {', '.join(IMAGE)}.")
    split = find(None, SPLIT)
    edges = next((e for e in (tuple(find(None, [name]) for name in names) for names in EDGES) if all(e)), ())
    named = None if labels else find(label, LABEL)
    if edges and not named:
        named = find(label, LABEL)
        if named is None:
            raise DataError(f"{where} of the boxes' classes is missing: expected one called {', '.join(LABEL)}.")
    for column in labels or ():
        one_of(column, columns, where)
    if labels is None and named is None:
        rest = [column for column in columns if column not in (file, split)]
        labels = tuple(c for c in rest if all(row[c].strip() in PRESENT for _, row in rows[1:]))
        if not labels and not more:
            raise DataError(f"{where} of labels is missing: expected one called {', '.join(LABEL)}, or of 0 and 1.")
    base = path.parent / images if images else path.parent
    if not base.is_dir():
        raise DataError(f"Folder '{base}' of the images does not exist.")
    return Table(path, base, rows[1:], file, named, labels or (), edges, split, more)  # type: ignore[arg-type]


def read_entries(table: Table, account: Account) -> list[tuple[str, str | None, Entry]]:
    """Turn the rows into images: the name, the split that the row names, and the labels.

    Args:
        table: from `read_table`.
        account: told of each row that cannot be used, which is left out.
    """
    found: dict[str, tuple[str | None, Entry]] = {}
    account.meet(len(table.rows), "rows")
    for line, row in table.rows:
        try:
            name = inside(row[table.image].strip(), table.image)
            if not name:
                raise ValueError(f"{table.image} is empty")
            split = _split(table, row)
            known = found.get(name)
            if known and not table.edges:
                raise ValueError(f"image '{name}' is given twice, first in line {known[1].number}")
            if known and known[0] != split:
                raise ValueError(f"image '{name}' is in split {split}, but in {known[0]} in line {known[1].number}")
            entry = known[1] if known else Entry(_file(table, name), table.path, place="line {}", number=line)
            found[name] = (split, _labelled(entry, table, line, row))
        except ValueError as error:
            account.lose(f"'{table.path}': line {line}: {error}.", annotations=1)
    return [(name, split, entry) for name, (split, entry) in found.items()]


def _rows(path: Path) -> list[Row]:
    """Read the lines; the first maps each column to itself."""
    text = layout.text(path)
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    columns, rows = list[str](), list[Row]()
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            columns = columns or [cell.strip() for cell in cells]
            if len(cells) != len(columns):
                raise DataError(f"'{path}': line {reader.line_num} has {len(cells)} cells, but line 1 {len(columns)}.")
            rows.append((reader.line_num, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        raise DataError(f"'{path}': line {reader.line_num} is no CSV, it may be cut off: {error}.") from None
    if len(rows) < 2:
        raise DataError(f"'{path}' is empty: expected a line of column names, and one for each image or box.")
    if len(set(columns)) < len(columns):
        raise DataError(f"'{path}': line 1: two columns have one name: {', '.join(columns)}.")
    return rows


def _split(table: Table, row: dict[str, str]) -> str | None:
    if table.split is None:
        return None
    name = split_named(row[table.split].strip())
    if name is None:
        raise ValueError(f"{table.split} is '{row[table.split]}', expected train, val or test")
    return name


def _file(table: Table, name: str) -> Path:
    beside = table.images / name
    inner = table.images / "images" / name
    return inner if not beside.is_file() and inner.is_file() else beside


def _labelled(entry: Entry, table: Table, line: int, row: dict[str, str]) -> Entry:
    """Add the labels of a row to an image; a ValueError says what is wrong with them."""
    if table.labels:
        cells = {name: row[name].strip() for name in table.labels}
        for name, cell in cells.items():
            if cell not in PRESENT:
                raise ValueError(f"{name} is '{cell}', expected 1, 0 or nothing")
        presence = {name: PRESENT[cell] for name, cell in cells.items()}
        if entry.presence not in (None, presence):
            raise ValueError(f"the classes of the image are not those of line {entry.number}")
        entry = replace(entry, presence=presence)
    for columns, names, known in table.more:
        value, task = columns.value({name: row[name].strip() for name in names}), known.spec.name
        if entry.more.get(task, value) != value:
            raise ValueError(f"{', '.join(names)} of the image are not those of line {entry.number}")
        entry = replace(entry, more={**entry.more, task: value})
    if not table.label:
        return entry
    label = row[table.label].strip()
    if not table.edges:
        return replace(entry, label=label or None)
    objects = [] if entry.objects is None else entry.objects
    edges = [_number(row, column) for column in table.edges]
    if any(edge is not None for edge in edges):
        for column, edge in zip(table.edges, edges, strict=True):
            if edge is None:
                raise ValueError(f"{column} is empty, but other corners are not")
        if not label:
            raise ValueError(f"{table.label} is empty, but the box is not")
        box: Any = tuple(edges)
        objects.append(Annotation(corners(box), label, number=line))
    elif label:
        raise ValueError(f"{table.label} is '{label}', but the corners of its box are empty")
    return replace(entry, objects=objects)


def _number(row: dict[str, str], column: str) -> float | None:
    text = row[column].strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{column} is '{text}', expected a number") from None
