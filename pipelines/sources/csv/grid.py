"""The cells of a table as they stand in its file: which character parts them, where the names of the columns are."""

import csv
import io
import os
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import DataError
from pipelines.sources.files import layout

HEAD = 1 << 16  # bytes of a file that tell what it is
DELIMITERS = (",", ";", "\t", "|")
PARTS = re.compile(r"sep=(.)", re.IGNORECASE)  # the first line of a table that Excel is to open
BINARY = {
    b"PK\x03\x04": "is an Excel workbook or an archive: save the sheet as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook: save the sheet as CSV",
    b"\x1f\x8b": "is compressed: unpack it with gunzip",
    b"BZh": "is compressed: unpack it with bunzip2",
    b"PAR1": "is a Parquet file: write it as CSV, with pandas.read_parquet(...).to_csv(...)",
}
AUTOML = {"train", "test", "validation", "validate", "unassigned"}
RETINANET = ("image", "x1", "y1", "x2", "y2", "label")  # of the table without names that keras-retinanet reads


@dataclass(frozen=True)
class Grid:
    """The cells of a table.

    Attributes:
        path: its file.
        columns: their names, in order.
        cells: of each column, from the first row to the last, without space around.
        lines: of each row, the line of the file that it ends in.
        ragged: lines that have more or fewer cells than there are columns, and how many; they are no rows.
        comments: how many lines are comments.
        commas: a number may have a decimal comma, since a comma does not part cells.
        note: what was assumed, or None.
    """

    path: Path
    columns: tuple[str, ...]
    cells: dict[str, list[str]] = field(repr=False)
    lines: list[int] = field(repr=False)
    ragged: list[tuple[int, int]] = field(default_factory=list, repr=False)
    comments: int = 0
    commas: bool = False
    note: str | None = None

    def number(self, cell: str) -> float:
        """Return the number that a cell holds.

        Raises:
            ValueError: it holds none.
        """
        return float(cell.replace(",", ".") if self.commas else cell)

    def all_numbers(self, cells: Iterable[str]) -> bool:
        """Whether all of these cells hold a number."""
        try:
            for cell in cells:
                self.number(cell)
        except ValueError:
            return False
        return True


def read(path: Path) -> Grid:
    """Read a table.

    Raises:
        DataError: it is no table, or one of a tool whose tables are not read.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(8)
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}.") from None
    for magic, words in BINARY.items():
        if start.startswith(magic):
            raise DataError(f"'{path}' {words}.")
    grid = _parsed(path, layout.text(path), whole=True)
    if grid.note:
        warnings.warn(grid.note, stacklevel=2)
    return grid


def peek(path: Path) -> Grid | None:
    """Read the beginning of a table; None if it is none."""
    try:
        text = layout.beginning(path, HEAD)
    except OSError:
        return None
    if "\0" in text:
        return None
    if os.path.getsize(path) > HEAD:
        text = text[: text.rfind("\n") + 1]
    try:
        return _parsed(path, text, whole=False)
    except DataError:
        return None


def pairs(path: Path) -> list[tuple[str, str]]:
    """Read a table of two columns without names, as one of ids and what they mean."""
    rows = csv.reader(io.StringIO(layout.text(path), newline=""))
    return [(row[0].strip(), row[1].strip()) for row in rows if len(row) > 1]


def _parsed(path: Path, text: str, whole: bool) -> Grid:
    """Part a text into cells; of a table that is not whole, a quotation may be cut off."""
    skipped, delimiter, comments = 0, None, 0
    lines = text.split("\n", 64)
    if named := PARTS.fullmatch(lines[0].strip().strip('"')):
        skipped, delimiter = 1, named[1]
    while skipped < len(lines) - 1 and (not lines[skipped].strip() or lines[skipped].startswith("#")):
        comments += lines[skipped].startswith("#")
        skipped += 1
    rest = text.split("\n", skipped)[skipped]
    above = lines[skipped - 1].lstrip("# ") if skipped and lines[skipped - 1].startswith("#") else ""
    delimiter = delimiter or _delimiter(rest)
    if delimiter in above and is_picture(rest.partition(delimiter)[0].strip('" ')):
        rest, skipped, comments = f"{above}\n{rest}", skipped - 1, comments - 1  # names behind a mark of comments
    rows, numbers = _rows(path, rest, delimiter, skipped, whole)
    if not rows:
        raise DataError(f"'{path}' is empty: expected a line of column names, and one for each image or box.")
    columns, note = _names(path, rows[0], numbers[0])
    first = 0 if note else 1
    kept, at, ragged = list[list[str]](), list[int](), list[tuple[int, int]]()
    count = len(columns)
    for cells, line in zip(rows[first:], numbers[first:], strict=True):
        if len(cells) > count and not "".join(cells[count:]).strip():
            cells = cells[:count]  # delimiters at the end of the line
        if len(cells) == count:
            kept.append(cells)
            at.append(line)
        elif cells[0].startswith("#"):
            comments += 1
        else:
            ragged.append((line, len(cells)))
    if not kept and not ragged:
        raise DataError(f"'{path}' is empty: expected a line of column names, and one for each image or box.")
    turned = zip(*kept, strict=True) if kept else [()] * count
    cells_of = {name: [cell.strip() for cell in own] for name, own in zip(columns, turned, strict=True)}
    return Grid(path, columns, cells_of, at, ragged, comments, delimiter != ",", note)


def _rows(path: Path, text: str, delimiter: str, skipped: int, whole: bool) -> tuple[list[list[str]], list[int]]:
    """Return the rows that are not blank, and the lines that they end in."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=delimiter != "\t"
    )
    rows, numbers = list[list[str]](), list[int]()
    try:
        for cells in reader:
            if "".join(cells).strip():
                rows.append(cells)
                numbers.append(reader.line_num + skipped)
    except csv.Error as error:
        if whole:
            line = reader.line_num + skipped
            raise DataError(f"'{path}': line {line} is no CSV, it may be cut off: {error}.") from None
    return rows, numbers


def _delimiter(text: str) -> str:
    """Return the character that parts the cells: the one that the first lines have most of, and alike."""
    lines = [line for line in text.split("\n", 20)[:20] if line.strip()]
    if not lines:
        return ","
    counts = {each: [line.count(each) for line in lines] for each in DELIMITERS}
    there = [each for each in DELIMITERS if counts[each][0]]
    if there:
        # A header has no commas within its cells; where two are in it, the one in equal number in all lines.
        return max(there, key=lambda each: (len(set(counts[each])) == 1, counts[each][0]))
    return " " if len(lines[0].split()) > 1 and not any(counts[","]) else ","


def _names(path: Path, first: list[str], line: int) -> tuple[tuple[str, ...], str | None]:
    """Return the names of the columns, and what was assumed if the first line has none of them."""
    cells = [cell.strip() for cell in first]
    if cells[0].lower() in AUTOML and len(cells) > 1 and cells[1].startswith("gs://"):
        raise DataError(
            f"'{path}' is a table for AutoML Vision (a split, a gs:// address, a label, corners), which is not read: "
            "download the pictures, and write a first line of names, as image,x_min,y_min,x_max,y_max,label,split."
        )
    if is_picture(cells[0]):
        return _assumed(path, cells, line)
    while cells and not cells[-1]:
        cells.pop()
    names = tuple(cell or f"Unnamed: {place}" for place, cell in enumerate(cells))
    if len(set(names)) < len(names):
        raise DataError(f"'{path}': line {line}: two columns have one name: {', '.join(names)}.")
    if {"region_shape_attributes", "region_attributes"} & set(names):
        raise DataError(
            f"'{path}' is a table of the VGG Image Annotator (VIA), which is not read: export the annotations as COCO "
            "from its menu."
        )
    return names, None


def _assumed(path: Path, cells: list[str], line: int) -> tuple[tuple[str, ...], str]:
    """Return the columns of a table whose first line is its first row."""
    corners = cells[1:5]
    if len(cells) == 6 and (not any(corners) or all(_is_number(cell) for cell in corners)):
        names: tuple[str, ...] = RETINANET
    elif len(cells) == 2:
        names = ("image", "label")
    else:
        raise DataError(
            f"'{path}': line {line} names the picture '{cells[0]}' where the names of the columns are expected: write "
            "a first line such as image,label or image,x_min,y_min,x_max,y_max,label."
        )
    return names, f"'{path}' has no line of column names: its columns are taken to be {', '.join(names)}."


def is_picture(cell: str) -> bool:
    """Whether a cell looks like the file of a picture."""
    return layout.is_picture(cell) and len(cell) > 4


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
