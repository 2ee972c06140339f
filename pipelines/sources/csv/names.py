"""What stands in a column of class names: one name a cell, several, or numbers; judged over the whole column."""

import re
from collections.abc import Sequence

from pipelines.errors import DataError
from pipelines.sources.csv.cells import NO_NAME

PARTED = ("|", ";", ",")  # between several names in one cell; a space is one only where it can be nothing else
LISTED = re.compile(r"[\[({](.*)[\])}]", re.DOTALL)
SEVERAL = {"labels", "tags", "classes", "categories", "findinglabels"}  # columns whose name says that they hold several
NUMBER = re.compile(r"[-+]?\d+(\.0*)?")

Names = list[tuple[str, ...] | None]  # of each row, the classes in its cell; None where it is empty


def read_names(
    column: str, cells: Sequence[str], separator: str | None, where: str, alone: bool
) -> tuple[Names, bool, list[str]]:
    """Return the class names of each row, whether a cell may have several, and what was decided.

    Args:
        column: its name.
        cells: of all rows.
        separator: what stands between several names in a cell; "" for cells that are one name; None to judge.
        where: the file, for messages.
        alone: a cell has one name, as that of a box.

    Raises:
        DataError: the cells are measured numbers or JSON, or may be read in two ways.
    """
    there = {cell for cell in set(cells) if cell.lower() not in NO_NAME}
    notes = list[str]()
    named = sorted({cell for cell in set(cells) if cell and cell.lower() in NO_NAME})
    if named:
        notes.append(f"{where}: {column} is '{', '.join(named)}' in some rows, which is read as empty.")
    if any(cell.startswith(("[{", '{"')) for cell in there):
        raise DataError(
            f"{where}: column '{column}' holds JSON, as Label Studio writes it: export the annotations as COCO or YOLO."
        )
    if there and all(map(NUMBER.fullmatch, there)):
        plain = {cell: cell.partition(".")[0] for cell in there}
        notes.append(f"{where}: column '{column}' holds numbers, which are class names: '{min(plain.values())}', ...")
        return [(plain[cell],) if cell in plain else None for cell in cells], False, notes
    if not alone and there and _measured(there):
        raise DataError(
            f"{where}: column '{column}' holds numbers such as {min(there)}, which are no classes: name the column of "
            "class names by option label."
        )
    between = "" if alone and separator is None else separator
    if between is None:
        between, decided = _separator(column, there, where)
        notes += decided
    if not between:
        return [(cell,) if cell in there else None for cell in cells], False, notes
    parted = {cell: _parts(cell, between) for cell in there}
    return [parted.get(cell) for cell in cells], True, notes


def in_order(names: set[str]) -> tuple[str, ...]:
    """Return class names in the order of their ids: numbers by their size, words by the alphabet."""
    numbers = bool(names) and all(map(NUMBER.fullmatch, names))
    return tuple(sorted(names, key=int) if numbers else sorted(names))


def _separator(column: str, there: set[str], where: str) -> tuple[str, list[str]]:
    """Return what stands between several names in one cell, "[" for lists, "" for none, and what was decided."""
    if there and all(map(LISTED.fullmatch, there)):
        return "[", [f"{where}: column '{column}' holds lists, so that an image may have several classes."]
    for between in PARTED:
        several = {cell for cell in there if between in cell}
        if not several:
            continue
        if _fewer(there, between):
            words = f"'{between}' stands between several classes of an image, as in '{min(several)}'"
            return between, [f"{where}: column '{column}': {words}."]
        raise _two_ways(column, min(several), between, where)
    several = {cell for cell in there if " " in cell}
    plural = re.sub(r"[\W_]+", "", column.casefold()) in SEVERAL
    if several and _fewer(there, " "):
        if not plural:
            raise _two_ways(column, min(several), " ", where)
        return " ", [f"{where}: column '{column}': spaces part several classes of an image, as in '{min(several)}'."]
    if several and plural and _recur(there):
        raise _two_ways(column, min(several), " ", where)
    return "", []


def _fewer(cells: set[str], between: str) -> bool:
    """Whether cells taken apart have fewer names than there are cells, so that names recur in several."""
    return len({part for cell in cells for part in _parts(cell, between)}) < len(cells)


def _recur(cells: set[str]) -> bool:
    """Whether a word is in several cells."""
    words = [word for cell in cells for word in set(cell.split())]
    return len(set(words)) < len(words)


def _parts(cell: str, between: str) -> tuple[str, ...]:
    if between == "[":
        inner = LISTED.fullmatch(cell)
        parts = (inner[1] if inner else cell).replace("'", "").replace('"', "").split(",")
    else:
        parts = cell.split(between)
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _two_ways(column: str, cell: str, between: str, where: str) -> DataError:
    return DataError(
        f"{where}: column '{column}': '{cell}' may be one class or several: say which by option separator, "
        f"'{between}' or '' for one."
    )


def _measured(cells: set[str]) -> bool:
    try:
        return any(not float(cell).is_integer() for cell in cells)
    except ValueError:
        return False
