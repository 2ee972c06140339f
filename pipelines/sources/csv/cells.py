"""What a cell of a class column says, 1, 0 or nothing, in the words that people and tools write; over all columns."""

import re
from collections.abc import Iterable, Mapping, Sequence

from pipelines.errors import DataError
from pipelines.kinds.spec import UNKNOWN

NOTHING = {"", "nan", "na", "n/a", "#n/a", "<na>", "null", "none", "nil"}
NO_NAME = {"", "nan", "#n/a", "<na>", "null", "n/a"}  # of a column of class names, where "none" may be a class
YES = re.compile(r"1([.,]0*)?|true|yes|t|y", re.IGNORECASE)
NO = re.compile(r"0([.,]0*)?|false|no|f|n", re.IGNORECASE)
MINUS = re.compile(r"-1([.,]0*)?")


def word(cell: str) -> str | None:
    """Return "1", "0", "-1" or "" for what a cell of a class column says; None if that is nothing known.

    Example:
        >>> [word(cell) for cell in ("1.0", "FALSE", "NaN", "-1", "2")]
        ['1', '0', '', '-1', None]
    """
    if cell.lower() in NOTHING:
        return ""
    return next((said for said, known in (("1", YES), ("0", NO), ("-1", MINUS)) if known.fullmatch(cell)), None)


def are_classes(cells: Iterable[str]) -> bool:
    """Whether a column's cells say of each image whether it has a class, and of one at least."""
    words = {word(cell) for cell in set(cells)}
    return None not in words and bool(words & {"0", "1"})


def meanings(
    columns: Mapping[str, Sequence[str]], given: Mapping[str, object] | None, where: str
) -> tuple[dict[str, float], list[str]]:
    """Return what each cell of some class columns means, by what stands in it, and what had to be decided.

    Args:
        columns: their cells.
        given: what some cells mean: 1, 0, or None where nobody knows.
        where: the file, for messages.

    Raises:
        DataError: cells say -1, and the other cells do not tell whether that is "absent" or "uncertain".
    """
    if given is not None and not isinstance(given, Mapping):
        raise DataError(f"Option values is {given!r}: expected what cells mean, as {{cell: 1, 0 or null}}.")
    own = {str(cell).strip(): meaning for cell, meaning in (given or {}).items()}
    for cell, meaning in own.items():
        if meaning not in (0, 1, None):
            raise DataError(f"Option values says that '{cell}' means {meaning!r}: expected 1, 0 or null.")
    there = {cell for cells in columns.values() for cell in set(cells)}
    words = {cell: word(cell) for cell in there if cell not in own}
    said, notes = set(words.values()), list[str]()
    minus = UNKNOWN
    if "-1" in said:
        if "0" in said:
            notes.append(f"{where}: cells of -1 are read as unknown, as 0 is there for what is absent.")
        elif "" not in said:
            minus = 0.0
            notes.append(f"{where}: cells of -1 are read as 0, absent, as every other cell is 1.")
        else:
            raise DataError(
                f"{where}: class columns hold 1, -1 and nothing, so that -1 may mean absent or uncertain: say which by "
                'option values, as {"-1": 0} or {"-1": null}.'
            )
    named = sorted(cell for cell, known in words.items() if known == "" and cell)
    if named:
        notes.append(f"{where}: cells of {', '.join(named)} are read as empty: nobody looked.")
    numbers = {"1": 1.0, "0": 0.0, "": UNKNOWN, "-1": minus}
    result = {cell: numbers[known] for cell, known in words.items() if known is not None}
    result |= {cell: UNKNOWN if own[cell] is None else float(str(own[cell])) for cell in own}
    return result, notes
