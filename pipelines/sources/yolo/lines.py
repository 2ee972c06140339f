"""One text file of YOLO labels: a line an object, its class and its numbers."""

from pathlib import Path
from typing import NamedTuple

from pipelines.errors import DataError
from pipelines.sources.files import layout

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
        cells = written.split()
        if not cells:
            continue
        try:
            values = tuple(map(float, cells))
        except ValueError:
            wrong.append(f"line {number}: '{' '.join(cells)[:60]}' is not all numbers")
            continue
        repeated += values in lines
        lines.setdefault(values, Line(number, values))
    return Page(list(lines.values()), wrong, repeated)


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
