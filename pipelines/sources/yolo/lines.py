"""One text file of YOLO labels: a line an object, its class and its numbers."""

import re
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import DataError
from pipelines.sources.files import layout

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
HEAD = 4096  # bytes of a file that tell what it is


class Line(NamedTuple):
    """One object as it is written.

    Attributes:
        number: of the line, from 1.
        values: the class and what follows it.
    """

    number: int
    values: tuple[float, ...]


class Page(NamedTuple):
    """What a text file says.

    Attributes:
        lines: the objects.
        wrong: of each line that is no row of numbers, a sentence without its full stop.
        repeated: how many lines say what one before them says.
    """

    lines: list[Line]
    wrong: list[str]
    repeated: int


def read_page(path: Path) -> Page:
    """Read the text file of one image.

    Raises:
        DataError: it is no text.
    """
    lines: dict[tuple[float, ...], Line] = {}
    wrong, repeated = [], 0
    for number, written in enumerate(layout.text(path).splitlines(), 1):
        cells = written.partition("#")[0].split()
        if not cells:
            continue
        try:
            values = tuple(map(float, cells))
        except ValueError:
            wrong.append(f"line {number}: '{' '.join(cells)[:60]}' is not all numbers{_remedy(cells)}")
            continue
        repeated += values in lines
        lines.setdefault(values, Line(number, values))
    return Page(list(lines.values()), wrong, repeated)


def _remedy(cells: list[str]) -> str:
    """Say what makes a line one of numbers, where that is plain; or nothing."""
    if any("," in cell for cell in cells):
        return ": expected spaces between them and a point in fractions, no comma"
    return f": expected the number of class '{cells[0]}', its place in the names from 0" if _is_named(cells) else ""


def _is_named(cells: list[str]) -> bool:
    """Whether cells are a word and at least four fractions."""
    return len(cells) > 4 and not NUMBER.fullmatch(cells[0]) and all(map(NUMBER.fullmatch, cells[1:]))


def is_odd_label(path: Path) -> bool:
    """Whether a text file has in its first lines what a label says, with a comment, commas or the name of a class."""
    lines = [line.partition("#")[0].strip() for line in layout.beginning(path, HEAD).splitlines()]
    first = next((line for line in lines if line), "")
    pointed = first.replace(",", "." if re.search(r"\d,\d", first) and " " in first else " ").split()
    return _is_named(pointed) or (len(pointed) > 4 and all(map(NUMBER.fullmatch, pointed)))


def is_label(path: Path) -> bool | None:
    """Whether a text file begins as labels do, with a class and four numbers; None if it says nothing."""
    try:
        cells = layout.beginning(path, HEAD).lstrip().partition("\n")[0].split()
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}.") from None
    if not cells:
        return None
    try:
        return len([float(cell) for cell in cells[:5]]) == 5
    except ValueError:
        return False
