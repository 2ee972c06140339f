"""The columns of a box: by which names they are known, and which numbers they may hold, judged over the whole file."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.errors import DataError
from pipelines.sources.csv.cells import NOTHING
from pipelines.sources.csv.grid import Grid
from pipelines.sources.files.entries import OVERHANG, Corners

CORNERS, SIZES, CENTRES = "corners", "sizes", "centres"
FORMS = (CORNERS, SIZES, CENTRES)
MEANT = {
    CORNERS: "x_min, y_min, x_max, y_max",
    SIZES: "x, y, width, height",
    CENTRES: "x, y of the centre, width, height",
}
UNITS = ("pixels", "fractions")
TOLD = 2000  # boxes that tell whether the names of their columns are right
HAIR = 0.02  # by which a fraction of a picture may be below 0 or above 1: rounding, as tools write it
FAMILIES = (
    (CORNERS, ("xmin", "ymin", "xmax", "ymax")),
    (CORNERS, ("minx", "miny", "maxx", "maxy")),
    (CORNERS, ("x1", "y1", "x2", "y2")),
    (CORNERS, ("x0", "y0", "x1", "y1")),
    (CORNERS, ("left", "top", "right", "bottom")),
    (CORNERS, ("xtl", "ytl", "xbr", "ybr")),
    (CORNERS, ("xstart", "ystart", "xend", "yend")),
    (CENTRES, ("xcenter", "ycenter", "width", "height")),
    (CENTRES, ("xcentre", "ycentre", "width", "height")),
    (CENTRES, ("centerx", "centery", "width", "height")),
    (CENTRES, ("centrex", "centrey", "width", "height")),
    (CENTRES, ("cx", "cy", "w", "h")),
    (CENTRES, ("cx", "cy", "width", "height")),
    (CENTRES, ("xc", "yc", "w", "h")),
    (CENTRES, ("xcenter", "ycenter", "w", "h")),
    (SIZES, ("x", "y", "width", "height")),
    (SIZES, ("x", "y", "w", "h")),
    (SIZES, ("xmin", "ymin", "width", "height")),
    (SIZES, ("xmin", "ymin", "w", "h")),
    (SIZES, ("x1", "y1", "width", "height")),
    (SIZES, ("x1", "y1", "w", "h")),
    (SIZES, ("left", "top", "width", "height")),
    (SIZES, ("left", "top", "w", "h")),
)
PREFIX = re.compile(r"(bbox|bndbox|boundingbox|box|bb|roi|rect|region|object|obj)(?=.)")
ALONE = {"bbox", "box", "boundingbox", "bndbox", "bboxes", "boxes", "roi", "rect"}  # a column of all four numbers
WORDS = re.compile(
    r"(b?[xywh]|cx|cy|xc|yc|[xy]?(min|max|start|end|tl|br|lo|hi|left|right|top|bottom)[xy]?|left|right|top|bottom|"
    r"width|height|cent(er|re)|row|col)\d?"
)
FOUR = re.compile(r"[^\d+\-.]*([-+]?[\d.]+(?:[eE][-+]?\d+)?)" * 4 + r"[^\d]*")


class Box(NamedTuple):
    """The columns of a box, four or one, and what their numbers are; no form if that is yet to be judged."""

    columns: tuple[str, ...]
    form: str | None


@dataclass(frozen=True)
class Boxes:
    """The boxes of all rows.

    Attributes:
        corners: of each row, corners; None where it has no box, or what is wrong with it.
        relative: they are fractions of the picture's width and height.
        notes: what was decided.
    """

    corners: list[Corners | str | None]
    relative: bool
    notes: list[str]


def plain(column: str) -> str:
    """Return a column's name without case, spaces and marks, as "xmin" for "X_Min"."""
    return re.sub(r"[\W_]+", "", column.casefold())


def find(columns: Sequence[str], where: str) -> Box | None:
    """Return the columns of a box, known by their names; None if there are none.

    Raises:
        DataError: two columns are the same edge.
    """
    named: dict[str, list[str]] = {}
    for column in columns:
        name = plain(column)
        for each in {name, PREFIX.sub("", name, count=1)}:
            named.setdefault(each, []).append(column)
    for form, family in FAMILIES:
        if all(edge in named for edge in family):
            for edge in family:
                if len(named[edge]) > 1:
                    raise DataError(
                        f"{where}: columns {' and '.join(named[edge])} could both be the {edge} of a box: name the four"
                        " by option box."
                    )
            return Box(tuple(named[edge][0] for edge in family), form)
    alone = [column for column in columns if plain(column) in ALONE]
    return Box((alone[0],), None) if len(alone) == 1 else None


def could_be(column: str) -> bool:
    """Whether a column's name speaks of an edge or a size, as "col_x" or "Left"."""
    words = re.findall(r"[A-Z]?[a-z]+\d?|[A-Z]+\d?", column)
    return any(WORDS.fullmatch(word.lower()) for word in words) or bool(WORDS.fullmatch(plain(column)))


def read(
    grid: Grid,
    box: Box,
    form: str | None,
    unit: str | None,
    size: Callable[[int], tuple[int, int] | None],
) -> Boxes:
    """Read the boxes of a table.

    Args:
        grid: the table.
        box: its columns.
        form: one of FORMS, if it is given.
        unit: one of UNITS, if it is given.
        size: height and width of the picture of a row, where they can be told.

    Raises:
        DataError: what the numbers are cannot be told, or some are in pixels and some are fractions.
    """
    numbers = _numbers(grid, box)
    there = {place: values for place, values in enumerate(numbers) if isinstance(values, tuple)}
    relative, notes = _unit(grid, there, unit)
    judged, more = _form(grid, box, form, there, relative, size)
    turn = {CORNERS: _same, SIZES: _from_sizes, CENTRES: _from_centres}[judged]
    corners = [turn(values) if isinstance(values, tuple) else values for values in numbers]
    return Boxes(corners, relative, notes + more)


def _numbers(grid: Grid, box: Box) -> list[Corners | str | None]:
    """Return the four numbers of each row; None where it has none, or what is wrong with them."""
    if len(box.columns) == 1:
        return [_four(cell, box.columns[0]) for cell in grid.cells[box.columns[0]]]
    result: list[Corners | str | None] = []
    for cells in zip(*(grid.cells[column] for column in box.columns), strict=True):
        try:
            x, y, z, w = cells
            result.append((float(x), float(y), float(z), float(w)))
        except ValueError:
            result.append(_slowly(grid, box, cells))
            continue
        if "nan" in "".join(cells).lower():
            result[-1] = _slowly(grid, box, cells)
    return result


def _slowly(grid: Grid, box: Box, cells: tuple[str, ...]) -> Corners | str | None:
    """Read a row whose cells are not four plain numbers."""
    empty = [cell.lower() in NOTHING for cell in cells]
    if all(empty):
        return None
    values = []
    for column, cell, none in zip(box.columns, cells, empty, strict=True):
        if cell == "":
            return f"{column} is empty, but other corners are not"
        try:
            values.append(float("nan") if none else grid.number(cell))
        except ValueError:
            return f"{column} is '{cell}', expected a number"
    return values[0], values[1], values[2], values[3]


def _four(cell: str, column: str) -> Corners | str | None:
    if not re.search(r"\d", cell):
        return None
    found = FOUR.fullmatch(cell)
    if not found:
        return f"{column} is '{cell[:40]}', expected four numbers, one box a row"
    try:
        return float(found[1]), float(found[2]), float(found[3]), float(found[4])
    except ValueError:
        return f"{column} is '{cell[:40]}', expected four numbers, one box a row"


def _unit(grid: Grid, there: dict[int, Corners], unit: str | None) -> tuple[bool, list[str]]:
    """Return whether numbers are fractions, and how that was told."""
    if unit is not None or not there:
        return unit == "fractions", []
    small = [place for place, values in there.items() if all(-HAIR <= value <= 1 + HAIR for value in values)]
    if not small:
        return False, []
    if len(small) == len(there):
        return True, [
            f"'{grid.path}': boxes are read as fractions of their pictures: none of their numbers is above 1."
        ]
    few = small if len(small) * 2 <= len(there) else sorted({*there} - {*small})
    most, odd = ("pixels", "fractions of the picture") if few is small else ("fractions of the picture", "pixels")
    shown = ", ".join(f"{value:g}" for value in there[few[0]])
    raise DataError(
        f"'{grid.path}': line {grid.lines[few[0]]}: box ({shown}) is like {odd}, but most boxes are in {most}: mend it,"
        " or say which they are by option unit."
    )


def _form(
    grid: Grid,
    box: Box,
    given: str | None,
    there: dict[int, Corners],
    relative: bool,
    size: Callable[[int], tuple[int, int] | None],
) -> tuple[str, list[str]]:
    """Return what the four numbers of a box are, and how that was told."""
    if given is not None:
        return given, []
    if box.form == CENTRES:
        return CENTRES, []
    where = (
        f"'{grid.path}': columns {', '.join(box.columns)}" if box.form else f"'{grid.path}': column {box.columns[0]}"
    )
    whole = (1.0, 1.0) if relative else None
    if box.form:  # their names say what they are, and some of the boxes tell whether that can be
        there = dict(list(there.items())[:: 1 + len(there) // TOLD])
    fitting: dict[str, float] = {}
    for form in (CORNERS, SIZES):
        bad = sum(not _fits(values, form, whole or size(place)) for place, values in there.items())
        fitting[form] = 1 - bad / len(there) if there else 1.0
    if box.form:
        other = SIZES if box.form == CORNERS else CORNERS
        if fitting[box.form] < 0.5 and fitting[other] > 0.99:
            raise DataError(
                f"{where} hold {MEANT[other]} by their numbers, but {MEANT[box.form]} by their names: say which by "
                f"option box_form, {other} or {box.form}."
            )
        return box.form, []
    possible = [form for form, fraction in fitting.items() if fraction > 0.99]
    if len(possible) == 1:
        return possible[0], [f"{where}: its numbers are read as {MEANT[possible[0]]}: as nothing else do they fit."]
    words = "may be" if possible else "are neither"
    joint = "or" if possible else "nor"
    raise DataError(
        f"{where}: its numbers {words} {MEANT[CORNERS]} {joint} {MEANT[SIZES]}: say which by option box_form, "
        f"{CORNERS} or {SIZES}."
    )


def _fits(values: Corners, form: str, size: tuple[float, float] | None) -> bool:
    """Whether four numbers may be a box of a form, in a picture of a height and width."""
    x_min, y_min, x_max, y_max = values if form == CORNERS else _from_sizes(values)
    if not (x_max > x_min and y_max > y_min):
        return False
    over = OVERHANG if size and max(size) > 1 else HAIR
    return size is None or (x_max <= size[1] + over and y_max <= size[0] + over)


def _same(values: Corners) -> Corners:
    return values


def _from_sizes(values: Corners) -> Corners:
    x, y, width, height = values
    return x, y, x + width, y + height


def _from_centres(values: Corners) -> Corners:
    x, y, width, height = values
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
