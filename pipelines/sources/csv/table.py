"""A table and what its cells say, column by column: pictures, classes, boxes, splits."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.accounts.tree import Tree
from pipelines.errors import DataError
from pipelines.pixels import pictures
from pipelines.sources.csv import boxes, cells, grid, names, roles
from pipelines.sources.csv.boxes import Boxes
from pipelines.sources.csv.grid import Grid
from pipelines.sources.csv.images import Found, Pictures, none_is_here
from pipelines.sources.csv.names import Names
from pipelines.sources.csv.roles import Given, Roles

ONE_CLASS = "object"  # the class of all boxes where no column has one
LOOKED_AT = 200  # pictures whose size is read to tell what the numbers of a box are


@dataclass(frozen=True)
class Meaning:
    """What is told of the cells of a table, by options; None where it is to be found out.

    Attributes:
        form: what the numbers of a box are, one of `boxes.FORMS`.
        unit: one of `boxes.UNITS`.
        separator: what stands between several classes in a cell.
        values: what cells of class columns mean.
    """

    form: str | None = None
    unit: str | None = None
    separator: str | None = None
    values: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Table:
    """A table and what its columns mean.

    Attributes:
        grid: its cells.
        roles: what its columns are.
        found: its pictures.
        boxes: of each row, or None where it has no columns of them.
        names: of each row, its classes, or None where it has no column of them.
        several: an image may have several classes.
        present: what the cells of class columns mean.
        without: classes of rows whose box is empty that stand for "no object".
    """

    grid: Grid
    roles: Roles
    found: Found
    boxes: Boxes | None
    names: Names | None
    several: bool
    present: Mapping[str, float]
    without: frozenset[str]

    @property
    def path(self) -> Path:
        """The file."""
        return self.grid.path

    @property
    def kinds(self) -> tuple:
        """What must be the same in all files of a data set."""
        box = self.roles.box is not None
        return bool(self.names), self.several, self.roles.labels, box, self.roles.more


def read_table(path: Path, tree: Tree, given: Given, meaning: Meaning, images: str | None) -> Table:
    """Read a table, find its columns and its pictures, and say in one warning each what was decided and left out.

    Args:
        path: the file.
        tree: the files among which its pictures are.
        given: what its columns are, as far as it is told.
        meaning: what its cells mean, as far as it is told.
        images: the folder of its pictures, relative to it.

    Raises:
        DataError: it is no table, or its columns or cells cannot be told; or no picture of it is here.
    """
    rows = grid.read(path)
    if images is not None:
        base = path.parent / images
        if not base.is_dir():
            raise DataError(f"Folder '{base}' of the images does not exist.")
        known = Pictures(Tree.of(base), ("", "images"))
    else:
        known = Pictures.of(tree, path)
    known_roles = roles.assign(rows, given, known.has)
    where = f"'{path}'"
    asked = [cell for cell in rows.cells[known_roles.image] if cell]
    found = known.find(asked)
    if asked and not found.files:
        line = rows.lines[rows.cells[known_roles.image].index(asked[0])]
        raise none_is_here(f"{where}: line {line}", asked, found, known)
    notes = [f"{where}: {note}." for note in found.notes]
    told = named = None
    several = False
    if known_roles.label:
        alone, column = known_roles.box is not None, known_roles.label
        named, several, more = names.read_names(column, rows.cells[column], meaning.separator, where, alone)
        notes += more
    if known_roles.box:
        told = boxes.read(rows, known_roles.box, meaning.form, meaning.unit, _sizes(rows, known_roles, found))
        notes += told.notes
        if not known_roles.label:
            notes.append(f"{where}: no column has the boxes' classes: all are '{ONE_CLASS}', or what classes says.")
    columns = {column: rows.cells[column] for column in known_roles.labels}
    present, more = cells.meanings(columns, meaning.values, where)
    notes += more + _one_hot(rows, known_roles, present)
    without, more = _without(rows, known_roles, told, named)
    notes += more
    if known_roles.aside:
        reasons = "; ".join(f"{column} ({reason})" for column, reason in known_roles.aside.items())
        notes.append(f"{where}: columns not used: {reasons}.")
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return Table(rows, known_roles, found, told, named, several, present, without)


def size_of(rows: Grid, known: Roles, place: int) -> tuple[int, int] | None:
    """Return height and width that a row gives of its picture.

    Raises:
        ValueError: they are no sizes.
    """
    if not known.size:
        return None
    found = []
    for column in known.size:
        cell = rows.cells[column][place]
        if not cell:
            return None
        try:
            found.append(int(rows.number(cell)))
        except (ValueError, OverflowError):
            raise ValueError(f"{column} is '{cell}', expected a number of pixels") from None
    return found[1], found[0]


def _sizes(rows: Grid, known: Roles, found: Found) -> Any:
    """Return the function from a row to height and width of its picture, where they can be told at little cost."""
    read: dict[str, tuple[int, int] | None] = {}

    def size(place: int) -> tuple[int, int] | None:
        try:
            if given := size_of(rows, known, place):
                return given
        except ValueError:
            return None
        name = rows.cells[known.image][place]
        if name not in read and len(read) < LOOKED_AT and name in found.files:
            try:
                read[name] = pictures.inspect(found.files[name]).upright
            except DataError:
                read[name] = None
        return read.get(name)

    return size


def _one_hot(rows: Grid, known: Roles, present: Mapping[str, float]) -> list[str]:
    """Say so where each image has one class of several columns: they stay classes that an image may have together."""
    if len(known.labels) < 2:
        return []
    own = [rows.cells[column] for column in known.labels]
    if any(sum(present.get(cell) == 1.0 for cell in row) != 1 for row in zip(*own, strict=True)):
        return []
    return [
        f"'{rows.path}': every row has 1 in one of {len(own)} class columns: they are read as classes that an image "
        "may have together; a column label of names would make them one of several."
    ]


def _without(rows: Grid, known: Roles, told: Boxes | None, named: Names | None) -> tuple[frozenset[str], list[str]]:
    """Return the classes that only rows without a box have, as "No finding": such an image has no object."""
    if told is None or named is None:
        return frozenset(), []
    boxed = {name[0] for name, box in zip(named, told.corners, strict=True) if name and box is not None}
    empty = {name[0] for name, box in zip(named, told.corners, strict=True) if name and box is None}
    without = frozenset(empty - boxed)
    shown = ", ".join(sorted(without))
    note = f"'{rows.path}': rows of {known.label} '{shown}' have no box: they are read as images without objects."
    return without, [note] if without else []
