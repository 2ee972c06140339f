"""Files that name the classes of masks: palettes of CamVid, CARLA and CVAT, and the numbers of Roboflow's masks."""

import csv
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.files.masks.legends import Colour, Legend

# What such files are called. One of such a name that is no palette is left to others.
NAMES = re.compile(
    r"(.*class_dict.*|_?classes|label_?colou?rs?|colou?r_?map|palette|colou?rs)\.(csv|txt)|label_?map\.txt",
    re.IGNORECASE,
)
RGB = r"(?P<r>\d{1,3})\s*[\s,;]\s*(?P<g>\d{1,3})\s*[\s,;]\s*(?P<b>\d{1,3})"
LINES = (  # a class in a line of text, its name first or last
    re.compile(rf"(?P<name>[^:]+):\s*{RGB}\s*(:.*)?"),  # CVAT: "car:64,0,128:parts:actions"
    re.compile(rf"{RGB}[\s,;]+(?P<name>\D.*)"),  # CamVid: "64 128 64  Animal"
    re.compile(rf"(?=.*[^\W\d])(?P<name>.*[^\s,;:])[\s,;:]+{RGB}"),
)
COLUMNS = {
    "name": ("name", "class", "label", "class_name", "class name", "classname"),
    "red": ("r", "red"),
    "green": ("g", "green"),
    "blue": ("b", "blue"),
    "value": ("pixel value", "pixel_value", "value", "id", "index"),
}


def find(places: Iterable[Path], account: Account) -> Legend | None:
    """Return what the palette in one of these folders says, or None where there is none.

    Raises:
        DataError: a palette is malformed, or two disagree.
    """
    found: list[Legend] = []
    for place in dict.fromkeys(places):
        files = sorted(place.iterdir()) if place.is_dir() else []
        for file in files:
            if NAMES.fullmatch(file.name) and file.is_file():
                legend = read(file)
                if legend:
                    account.use(file, "colours of classes" if legend.colours else "class names")
                    found.append(legend)
    for other in found[1:]:
        if replace(other, file=found[0].file) != found[0]:
            raise DataError(
                f"'{other.file}' gives other classes or colours than '{found[0].file}': remove one of them."
            )
    return found[0] if found else None


def read(file: Path) -> Legend | None:
    """Read a palette: rows of name, red, green and blue under a header, or lines such as "car:64,0,128::".

    Returns:
        The classes in the order of the file; None where it is no palette, nor a list of values and names.

    Raises:
        DataError: it is one, and some line of it is not understood.
    """
    lines = [line.strip() for line in layout.text(file).splitlines()]
    numbered = [(i, line) for i, line in enumerate(lines, 1) if line and not line.startswith(("#", "//"))]
    if not numbered:
        return None
    header = _columns(numbered[0][1])
    if header:
        return _table(file, numbered, header)
    matches = [(i, line, next((m for p in LINES if (m := p.fullmatch(line))), None)) for i, line in numbered]
    if not matches[0][2]:
        return None
    names, colours = [], []
    for number, line, match in matches:
        if not match:
            raise DataError(f"'{file}': line {number}: '{line}' is no class with its colour, as '{numbered[0][1]}' is.")
        names.append(match["name"].strip().strip("\"'"))
        colours.append(_colour([int(match[part]) for part in "rgb"], file, number))
    return Legend(tuple(names), tuple(colours), file=file).check()


def _columns(line: str) -> dict[str, int]:
    """Return where the columns of a table are by its first line; nothing where it is no header of a palette."""
    cells = [cell.strip().strip('"').lower() for cell in re.split(r"[,;\t]", line)]
    found = {key: next((i for i, cell in enumerate(cells) if cell in names), -1) for key, names in COLUMNS.items()}
    there = {key: place for key, place in found.items() if place >= 0}
    return there if {"name", "red", "green", "blue"} <= {*there} or {*there} == {"name", "value"} else {}


def _table(file: Path, numbered: list[tuple[int, str]], columns: dict[str, int]) -> Legend:
    delimiter = next(mark for mark in ",;\t" if mark in numbered[0][1])
    names, colours, values = [], [], []
    for number, line in numbered[1:]:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]
        try:
            names.append(cells[columns["name"]])
            places = [columns[key] for key in ("red", "green", "blue") if key in columns] or [columns["value"]]
            numbers = [int(cells[place]) for place in places]
        except (IndexError, ValueError):
            raise DataError(
                f"'{file}': line {number}: '{line}' does not have the columns of '{numbered[0][1]}', numbers where"
                " these are numbers."
            ) from None
        if len(numbers) == 3:
            colours.append(_colour(numbers, file, number))
        else:
            values.append(_colour(numbers * 3, file, number)[0])
    return Legend(tuple(names), tuple(colours) or None, tuple(values) or None, file=file).check()


def _colour(numbers: list[int], file: Path, line: int) -> Colour:
    if not all(number <= 255 for number in numbers):
        raise DataError(f"'{file}': line {line}: a colour is {numbers}: expected numbers from 0 to 255.")
    return numbers[0], numbers[1], numbers[2]
