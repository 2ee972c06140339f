"""Which images belong together: by a folder that they lie in, by their names, or by a column of a table."""

import re
from collections.abc import Sequence
from pathlib import Path

from pipelines.accounts.tree import Tree
from pipelines.errors import DataError
from pipelines.sources.csv import grid
from pipelines.sources.csv.images import Pictures
from pipelines.sources.csv.roles import image_column
from pipelines.sources.files.split_lists import name_of

WAYS = "folder, folder:2, name:REGULAR-EXPRESSION, column:NAME or image"


def groups_of(images: Sequence[Path], root: Path, by: str, table: Path | None = None) -> list[str]:
    """Return the group of each image.

    Args:
        images: the files.
        root: the folder of the data, or its CSV file.
        by: "folder", the one that an image lies in; "folder:1", the first on the way from `root`, "folder:2" the second
            and so on; "name:REGEX", what a regular expression finds in the file's name, or its groups in brackets do;
            "column:NAME", the cell in a column of `table`; "image", each on its own.
        table: a CSV file with a column of image files; None for `root`, or the one CSV file in it.

    Raises:
        DataError: there is no such way, or an image has no group by it.

    Example:
        >>> groups_of([Path("d/images/oak_1.jpg"), Path("d/images/oak_2.jpg")], Path("d"), "name:^[a-z]+")
        ['oak', 'oak']
    """
    way, _, rule = by.partition(":")
    if way == "image" and not rule:
        return [name_of(image, root) for image in images]
    if way == "folder" and (not rule or (rule.isdigit() and int(rule))):
        return _by_folder(images, root, int(rule) if rule else 0)
    if way == "name" and rule:
        return _by_name(images, rule)
    if way == "column" and rule:
        return _by_column(images, root, rule, table)
    raise DataError(f"Groups by '{by}' are unknown: expected {WAYS}.")


def _by_folder(images: Sequence[Path], root: Path, level: int) -> list[str]:
    """The folder at a level beneath the root, from 1; at 0, the whole path of the one that an image lies in."""
    start = root.parent if root.is_file() else root
    found = []
    for image in images:
        folders = name_of(image, start).split("/")[:-1]
        if len(folders) < max(level, 1):
            raise DataError(
                f"Image '{image}' lies in {len(folders)} folders of '{start}': there is no folder:{level or 1}."
            )
        found.append(folders[level - 1] if level else "/".join(folders))
    return found


def _by_name(images: Sequence[Path], pattern: str) -> list[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DataError(f"'{pattern}' is no regular expression: {error}.") from None
    found = [expression.search(image.name) for image in images]
    missed = [image for image, match in zip(images, found, strict=True) if match is None]
    if missed:
        raise DataError(
            f"'{pattern}' finds nothing in the names of {len(missed)} of {len(images)} images, as '{missed[0].name}': "
            "write one that fits all."
        )
    return ["/".join(part or "" for part in match.groups()) if match.groups() else match[0] for match in found if match]


def _by_column(images: Sequence[Path], root: Path, column: str, table: Path | None) -> list[str]:
    """The cells of a column, in the rows of a table that name the images."""
    path, start = table or _table(root), root.parent if root.is_file() else root
    rows = grid.read(path)
    if column not in rows.columns:
        raise DataError(f"'{path}': line 1: there is no column '{column}'; there are {', '.join(rows.columns)}.")
    pictures = Pictures.of(Tree.of(start), path)
    cells = rows.cells[image_column(rows, [name for name in rows.columns if name != column], None, pictures.has)]
    files = pictures.find(cells).files  # a table may know more images than a set has
    places = {name_of(image, start): place for place, image in enumerate(images)}
    found: dict[int, str] = {}
    for line, cell, group in zip(rows.lines, cells, rows.cells[column], strict=True):
        place = places.get(name_of(files[cell], start)) if cell in files else None
        if place is not None and found.setdefault(place, group) != group:
            raise DataError(
                f"'{path}': line {line}: image '{cell}' has {column} '{group}', but '{found[place]}' above."
            )
    missed = [image for place, image in enumerate(images) if not found.get(place)]
    if missed:
        raise DataError(
            f"'{path}' has no {column} of {len(missed)} of {len(images)} images, as '{missed[0]}': give each its own."
        )
    return [found[place] for place in range(len(images))]


def _table(root: Path) -> Path:
    if root.is_file():
        return root
    files = sorted(root.glob("*.csv"))
    if len(files) != 1:
        raise DataError(f"'{root}' has {len(files) or 'no'} CSV files: name the table that has the column.")
    return files[0]
