"""From the rows of a table to its images: what each row says, checked, and joined to what others say of the picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.accounts.account import Account
from pipelines.sources.csv.boxes import Boxes
from pipelines.sources.csv.cells import word
from pipelines.sources.csv.roles import split_cell
from pipelines.sources.csv.table import ONE_CLASS, Table, size_of
from pipelines.sources.files.entries import CUT, HAIR, Annotation, Corners, Entry, corners, is_cut


class Row(NamedTuple):
    """An image of a table: what it is called there, the split that its rows name, and its labels."""

    name: str
    split: str | None
    entry: Entry


@dataclass
class Image:
    """An image whose rows are being read."""

    name: str
    line: int
    split: str | None
    size: tuple[int, int] | None
    rows: int = 0
    objects: list[Annotation] | None = None
    label: str | None = None
    presence: Mapping[str, float] | None = None
    more: dict[str, Any] = field(default_factory=dict)


def read_rows(table: Table, account: Account, one_class: str = ONE_CLASS) -> list[Row]:
    """Turn the rows of a table into images.

    Args:
        table: from `read_table`.
        account: told of each row that cannot be used, which is left out.
        one_class: the class of all boxes, if no column has it.
    """
    grid, path = table.grid, table.path
    account.meet(len(grid.lines) + len(grid.ragged) + grid.comments, "rows")
    if grid.comments:
        account.leave_annotations("a comment", grid.comments)
    count = len(grid.columns)
    for line, cells in grid.ragged:
        account.lose(f"'{path}': line {line} has {cells} cells, but line 1 {count}.", annotations=1)
    reader, lost = _Reader(table, one_class), dict[Path, str]()
    for place, name in enumerate(grid.cells[table.roles.image]):
        try:
            reader.read(place, name)
        except ValueError as error:
            message = f"'{path}': line {grid.lines[place]}: {error}."
            account.lose(message, annotations=1)
            if name in table.found.files:
                lost.setdefault(table.found.files[name], message)
    if reader.cut:
        account.alter(CUT, reader.cut)
    for file, message in lost.items():
        if file not in reader.images:
            account.note_loss(message, file)
    relative = bool(table.boxes and table.boxes.relative)
    return [
        Row(image.name, image.split, _entry(image, file, table.path, relative)) for file, image in reader.images.items()
    ]


def _entry(image: Image, file: Path, index: Path, relative: bool) -> Entry:
    return Entry(
        file,
        index,
        size=image.size,
        objects=image.objects,
        relative=relative and image.size is None,
        place="line {}",
        number=image.line,
        label=image.label,
        presence=image.presence,
        bare=image.rows - len(image.objects or ()),
        more=image.more,
    )


class _Reader:
    """Reads rows one by one; a ValueError says what is wrong with one."""

    def __init__(self, table: Table, one_class: str):
        self.table, self.grid, self.roles, self.one_class = table, table.grid, table.roles, one_class
        self.images: dict[Path, Image] = {}
        self.sizes: dict[tuple[str, str], tuple[int, int] | None] = {}
        self.cut = 0  # boxes that stuck out of their picture
        self.classes = [(column, self.grid.cells[column]) for column in self.roles.labels]

    def read(self, place: int, name: str) -> None:
        """Read a row."""
        table = self.table
        if not name:
            raise ValueError(f"{self.roles.image} is empty")
        file = table.found.files.get(name)
        if file is None:
            raise ValueError(table.found.missing[name])
        split = self._split(place)
        known = self.images.get(file)
        if known and not table.boxes:
            raise ValueError(f"image '{name}' is given twice, first in line {known.line}")
        if known and known.split != split:
            raise ValueError(f"image '{name}' is in split {split}, but in {known.split} in line {known.line}")
        size = self._size(place)
        if known and size and known.size != size:
            raise ValueError(f"width and height of '{name}' are not those of line {known.line}")
        image = known or Image(name, self.grid.lines[place], split, size)
        self._label(image, place)
        image.rows += 1
        self.images[file] = image

    def _size(self, place: int) -> tuple[int, int] | None:
        """Return height and width that a row gives; most rows give the same few."""
        if not self.roles.size:
            return None
        width, height = self.roles.size
        said = self.grid.cells[width][place], self.grid.cells[height][place]
        if said not in self.sizes:
            self.sizes[said] = size_of(self.grid, self.roles, place)
        return self.sizes[said]

    def _split(self, place: int) -> str | None:
        column = self.roles.split
        if column is None:
            return None
        cell, valid = self.grid.cells[column][place], self.roles.valid
        split = {"1": "validation", "0": "train"}.get(word(cell) or "") if valid else split_cell(cell)
        if split is None:
            raise ValueError(f"{column} is '{cell}', expected {'1 or 0' if valid else 'train, val or test'}")
        return split

    def _label(self, image: Image, place: int) -> None:
        """Add the labels of a row to an image."""
        if self.classes:
            presence = {}
            for column, cells in self.classes:
                meaning = self.table.present.get(cells[place])
                if meaning is None:
                    raise ValueError(f"{column} is '{cells[place]}', expected 1, 0 or nothing")
                presence[column] = meaning
            if image.presence not in (None, presence):
                raise ValueError(f"the classes of the image are not those of line {image.line}")
            image.presence = presence
        for columns, own, known in self.roles.more:
            value = columns.value({name: self.grid.cells[name][place] for name in own})
            task = known.spec.name
            if image.more.get(task, value) != value:
                raise ValueError(f"{', '.join(own)} of the image are not those of line {image.line}")
            image.more[task] = value
        named = self.table.names[place] if self.table.names else None
        label = named[0] if named else None
        if self.table.boxes:
            self._object(image, place, label, self.table.boxes)
        elif self.table.several:
            image.presence = None if named is None else dict.fromkeys(named, 1.0)
        else:
            image.label = label

    def _object(self, image: Image, place: int, label: str | None, known: Boxes) -> None:
        """Add the box of a row to an image."""
        box = known.corners[place]
        objects = [] if image.objects is None else image.objects
        if isinstance(box, str):
            raise ValueError(box)
        if box is None:
            if label and label not in self.table.without:
                raise ValueError(f"{self.roles.label} is '{label}', but the corners of its box are empty")
        else:
            label = label if self.roles.label else self.one_class
            if not label:
                raise ValueError(f"{self.roles.label} is empty, but the box is not")
            crowd = bool(self.roles.crowd) and word(self.grid.cells[str(self.roles.crowd)][place]) == "1"
            own, cut = _placed(box, image.size, known.relative)
            self.cut += cut
            objects.append(Annotation(own, label, crowd, number=self.grid.lines[place]))
        image.objects = objects


def _placed(box: Corners, size: tuple[int, int] | None, relative: bool) -> tuple[Corners, bool]:
    """Check a box, and clip it where the size of its picture is known; fractions become pixels then.

    Returns:
        The box, and whether it was cut.
    """
    if size is None:
        return corners(box), False
    height, width = size
    whole = (box[0] * width, box[1] * height, box[2] * width, box[3] * height) if relative else box
    own = corners(whole, size, HAIR if relative else 0.0)
    return own, own != whole and is_cut(own, whole)


def renamed(rows: list[Row], classes: Mapping[str, str]) -> list[Row]:
    """Return images with the classes of their objects under other names, where these are given."""
    result = []
    for row in rows:
        objects = row.entry.objects
        if objects:
            objects = [replace(each, category=classes.get(each.category, each.category)) for each in objects]
        label = row.entry.label and classes.get(row.entry.label, row.entry.label)
        result.append(row._replace(entry=replace(row.entry, objects=objects, label=label)))
    return result
