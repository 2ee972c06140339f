"""The source "csv": its options, its files, and the splits of its rows."""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.contract import Request, Source
from pipelines.errors import DataError, noted, one_of
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.base import option
from pipelines.sources.csv import descriptions, names, tables
from pipelines.sources.csv.boxes import FORMS, UNITS
from pipelines.sources.csv.roles import Given
from pipelines.sources.csv.rows import Row, read_rows, renamed
from pipelines.sources.csv.table import ONE_CLASS, Meaning, Table, read_table
from pipelines.sources.csv.tables import ALL, SIGN
from pipelines.sources.file_options import classes_option, divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.classes import agree, name_list
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.format import FileFormat
from pipelines.sources.layouts import Layout


@dataclass(frozen=True)
class Csv(FileFormat):
    """A table of images: a column of class names, columns of 0 and 1, or a row for each box.

    It is a CSV file, or a folder with one, or with `train.csv` and perhaps `val.csv` and `test.csv`, or with one in
    each of `train/`, `valid/` and `test/`. Cells are parted by commas, semicolons, tabs or bars. The first line names
    the columns. One has the image files: by their path from the CSV, by the end of their path wherever they lie beneath
    the folder, with or without suffix; the others are one of these:

    - a class name (`label`): task "classification", one class an image. An empty cell is an image without this label.
      Where cells have several names (`cat|dog`), it is multi-label.
    - classes as columns of 1, 0 (true, false; yes, no), or nothing where nobody looked: task "classification",
      multi-label.
    - a box in each row, in columns `x_min, y_min, x_max, y_max` (or xmin, x1, left, ...; or x, y, width, height; or one
      column `bbox`) with its class in `label`: tasks "detection" and "classification" (multi-label: the classes
      present). A row whose box is empty is an image without objects. Numbers are pixels, or, where none is above 1,
      fractions of the picture.

    A column `split` may name the split of each row; else the images are divided by a hash of their names. Columns that
    are not used are named in a warning, and so is whatever the numbers had to decide.
    """

    layouts = (
        Layout(
            "a table",
            "labels.csv, or train.csv and val.csv, with a column of files, and the images that its rows name",
            (SIGN,),
            covers=("class folders",),
        ),
    )

    image: str | None = option(
        None,
        "the column of the files; null for one called image, path, file_name, image_id or such whose files are here",
    )
    label: str | None = option(
        None, "the column of class names; null for one called label, class, class_name, category or such"
    )
    labels: Iterable[str] | None = option(
        None,
        "the columns that are classes; null for all that hold 0, 1 and nothing else, if no column has class names",
    )
    images: str | None = option(None, "the folder of the image files, relative to the CSV")
    box: Iterable[str] | None = option(
        None, "the four columns of a box, or the one with all numbers; [] for none; null: by their names"
    )
    box_form: str | None = option(
        None, "corners, sizes (x, y, width, height) or centres; null: by the names of the columns and the numbers"
    )
    unit: str | None = option(None, "of boxes, pixels or fractions; null: fractions if no number is above 1")
    separator: str | None = option(
        None, "between several classes in one cell, as '|'; '' for cells that are one class; null: by the cells"
    )
    values: Mapping[str, object] | None = option(
        None, "what cells of class columns mean beside 1, 0, true, false, yes, no and nothing: {cell: 1, 0 or null}"
    )
    classes: Iterable[str] | None = classes_option()
    divide: bool | None = divide_option()

    def read(self, request: Request) -> Source:
        """Read the table of each split, and assemble the images that its rows name."""
        if request.path is None:
            raise DataError("Source 'csv' needs data.path=FILE, or the folder of a CSV file.")
        for given, valid, name in ((self.box_form, FORMS, "box_form"), (self.unit, UNITS, "unit")):
            if given is not None:
                one_of(given, valid, name)
        root = request.path
        tree = request.files if root.is_dir() else Tree.of(root.parent)
        found = self._tables(root, tree, request)
        first = next(iter(found.values()))
        entries = _entries(root, request, found, self.divide, self._one_class(), tree)
        entries, there = _labels(first, entries, self.classes, request.account)
        if root.is_dir():
            _leave_unnamed(tree, found.values(), request.account)
        return self.assembled(request, entries, there)

    def _tables(self, root: Path, tree: Tree, request: Request) -> dict[str, Table]:
        """Read the table of each split asked for, or of ALL, and see that their columns are the same."""
        named = None if self.labels is None else name_list(self.labels, "labels")
        box = None if self.box is None else name_list(self.box, "box") if self.box else ()
        alone = self.classes is not None and len(name_list(self.classes, "classes")) == 1
        given = Given(self.image, self.label, named, box, alone)
        meaning = Meaning(self.box_form, self.unit, self.separator, self.values)
        files = tables.find(root, tree, given, request.account)

        def read(file: Path) -> Table:
            return read_table(file, tree, given, meaning, self.images)

        if ALL in files:
            return {ALL: read(files[ALL])}
        if len(files) == 1:
            (split, file), *_ = files.items()
            table = read(file)
            if table.roles.split:  # a table of all splits, whatever it is called
                return {ALL: table}
            return dict.fromkeys(layout.asked(root, files, request), table)
        asked = layout.asked(root, files, request)
        found = {split: read(file) for split, file in asked.items()}
        for split, file in files.items():
            if split not in found:
                _leave_pictures(file, split, read, request.account)
        first = next(iter(found.values()))
        for table in found.values():
            if table.kinds != first.kinds:
                raise DataError(f"'{table.path}': line 1: the label columns are not those of '{first.path}'.")
            if table.roles.split:
                raise DataError(
                    f"'{table.path}' is one of several tables, {', '.join(files)}, and has a column "
                    f"'{table.roles.split}' too: keep one of both."
                )
        return found

    def _one_class(self) -> str:
        """The class of boxes that have no column of classes."""
        given = () if self.classes is None else name_list(self.classes, "classes")
        return given[0] if len(given) == 1 else ONE_CLASS


def _labels(
    table: Table, entries: dict[str, list[Entry]], given: Iterable[str] | None, account: Account
) -> tuple[dict[str, list[Entry]], list[labels.Label]]:
    """Return the images of each split, and what they are labelled with."""
    there: list[labels.Label] = [claim.label for claim in table.roles.more]
    if table.roles.labels:
        there.append(labels.Presence(LabelSpec("classification", "multi_label", table.roles.labels)))
    if table.several:
        known, entries = _several(entries, given, account)
        there.append(labels.Presence(LabelSpec("classification", "multi_label", known)))
    elif table.roles.label or table.boxes:
        first = next(iter(entries.values()), [])
        seen = {a.category for entry in first for a in entry.objects or ()} | {e.label for e in first if e.label}
        classes = names.in_order(seen) if given is None else given
        known, entries = agree(entries, classes or None, account) if seen or given else ((), entries)
        if not known:
            column = table.roles.label or ", ".join(table.roles.box.columns if table.roles.box else ())
            raise DataError(f"'{table.path}': column '{column}' has no class name.")
        if table.boxes and not table.roles.labels:
            there.append(labels.Presence(LabelSpec("classification", "multi_label", known)))
        if table.boxes:
            there.append(labels.Boxes(LabelSpec("detection", "detection", known)))
        else:
            if len(known) == 1:
                text = f"'{table.path}': all rows are of one class, '{known[0]}': there is nothing to tell apart."
                warnings.warn(text, stacklevel=4)
            there.append(labels.OneClass(LabelSpec("classification", "classification", known)))
    return entries, there


def _several(
    entries: dict[str, list[Entry]], classes: Iterable[str] | None, account: Account
) -> tuple[tuple[str, ...], dict[str, list[Entry]]]:
    """Give all splits one list of the classes of which an image may have several, as `agree` does of one."""
    first = next(iter(entries.values()), [])
    seen = {name for entry in first for name in entry.presence or ()}
    known = names.in_order(seen) if classes is None else name_list(classes, "classes")
    kept: dict[str, list[Entry]] = {}
    for split, own in entries.items():
        kept[split] = []
        for entry in own:
            try:
                for name in entry.presence or ():
                    one_of(name, known, f"{split} class")
            except DataError as error:
                account.lose(f"{entry.at(entry.number)}: {error}", entry.image, entry.annotations)
                continue
            kept[split].append(entry)
    return known, kept


def _entries(
    root: Path, request: Request, found: dict[str, Table], divide: bool | None, one_class: str, tree: Tree
) -> dict[str, list[Entry]]:
    """Read the images of the rows, split by split."""
    account = request.account
    called = descriptions.of(tree, [name for table in found.values() for name in _names(table)], account)

    def read(table: Table) -> list[Row]:
        rows = read_rows(table, account, one_class)
        return renamed(rows, called) if called else rows

    if ALL not in found:
        return {split: [row.entry for row in read(table)] for split, table in found.items()}
    all_rows = read(found[ALL])
    if found[ALL].roles.split:
        entries: dict[str, list[Entry]] = {}
        for row in all_rows:
            entries.setdefault(str(row.split), []).append(row.entry)
        asked = layout.asked(root, entries, request)
        _leave(account, entries, asked)
        return asked
    return layout.divided_entries(root, {row.name: row.entry for row in all_rows}, request, divide)


def _names(table: Table) -> list[str]:
    return [name for row in table.names or () for name in row or ()]


def _leave(account: Account, entries: Mapping[str, list[Entry]], asked: Mapping[str, object]) -> None:
    """Set aside the images of splits that are not asked for."""
    for split, own in entries.items():
        if split not in asked:
            for entry in own:
                account.leave(entry.image, f"of split {split}, not asked for")
                account.leave_annotations(f"of split {split}, not asked for", entry.annotations)


def _leave_pictures(file: Path, split: str, read: Callable[[Path], Table], account: Account) -> None:
    """Set aside the pictures of a table whose split is not asked for, as far as it can be read."""
    with contextlib.suppress(DataError), noted():
        for picture in read(file).found.files.values():
            account.leave(picture, f"of split {split}, not asked for")


def _leave_unnamed(tree: Tree, found: Iterable[Table], account: Account) -> None:
    """Note the pictures that no row names: they are not understood."""
    named = {os.path.abspath(file) for table in found for file in table.found.files.values()} | account.files.keys()
    known = ", ".join(table.path.name for table in found)
    for path in map(tree.path, layout.pictures_in(tree)):
        if os.path.abspath(path) not in named:
            account.note_loss(f"no row of {known} names it", path)
