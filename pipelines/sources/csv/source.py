"""The source "csv": its options, its files, and the splits of its rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.base import Format, option
from pipelines.sources.csv.table import Table, read_entries, read_table
from pipelines.sources.file_options import check_option, classes_option, divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.assembly import assemble
from pipelines.sources.files.classes import agree, name_list
from pipelines.sources.files.entries import Entry
from pipelines.sources.layouts import Layout, has
from pipelines.splits import split_named

ALL = "all"  # in place of a split's name: a file of all splits


@dataclass(frozen=True)
class Csv(Format):
    """A table of images: a column of class names, columns of 0 and 1, or a row for each box.

    It is a CSV file, or a folder with one, or with `train.csv` and perhaps `val.csv` and `test.csv`. The first line
    names the columns. One has the image files, relative to the CSV or to `images/` beside it; the others are one of
    these:

    - a class name (`label`): task "classification", one class an image. An empty cell is an image without this label.
    - classes as columns of 1, 0, or nothing where nobody looked: task "classification", multi-label.
    - a box in each row, in columns `x_min, y_min, x_max, y_max` (or xmin, ...; pixels) with its class in `label`: tasks
      "detection" and "classification" (multi-label: the classes present). A row whose four are empty is an image
      without objects.

    A column `split` may name the split of each row; else the images are divided by a hash of their names.
    """

    layouts = (
        Layout("a table", "labels.csv, or train.csv and val.csv, and the images that its rows name", (has("*.csv"),)),
    )

    image: str | None = option(
        None, "the column of the files; null for one called image, image_path, path, file, file_name or filename"
    )
    label: str | None = option(
        None, "the column of class names; null for one called label, class, class_name or category"
    )
    labels: Iterable[str] | None = option(
        None,
        "the columns that are classes; null for all that hold 0, 1 and nothing else, if no column has class names",
    )
    images: str | None = option(None, "the folder of the image files, relative to the CSV")
    classes: Iterable[str] | None = classes_option()
    divide: bool | None = divide_option()
    check: str = check_option()

    def read(self, request: Request) -> Source:
        """Read the table of each split, and assemble the images that its rows name."""
        if request.path is None:
            raise DataError("Source 'csv' needs path=FILE, or the folder of a CSV file.")
        tables = self._tables(request.path)
        first = next(iter(tables.values()))
        entries = _splits(request.path, request, tables, self.divide)
        there = [claim.label for claim in first.more]
        if first.labels:
            there.append(labels.Presence(LabelSpec("classification", "multi_label", first.labels)))
        if first.label:
            known, entries = agree(entries, self.classes, request.account)
            if not known:
                raise DataError(f"'{first.path}': column '{first.label}' has no class name.")
            if first.edges and not first.labels:
                there.append(labels.Presence(LabelSpec("classification", "multi_label", known)))
            if first.edges:
                there.append(labels.Boxes(LabelSpec("detection", "detection", known)))
            else:
                there.append(labels.OneClass(LabelSpec("classification", "classification", known)))
        return assemble(request, entries, there, check=self.check)

    def _tables(self, path: Path) -> dict[str, Table]:
        """Read the CSV file of each split, or of ALL, and see that their columns are the same."""
        named = None if self.labels is None else name_list(self.labels, "labels")
        files = _files(path).items()
        tables = {split: read_table(file, self.image, self.label, named, self.images) for split, file in files}
        first = next(iter(tables.values()))
        for table in tables.values():
            if table.kinds != first.kinds:
                raise DataError(f"'{table.path}': line 1: the label columns are not those of '{first.path}'.")
        return tables


def _files(path: Path) -> dict[str, Path]:
    """Find the CSV file of each split, or of ALL."""
    if path.is_file():
        return {ALL: path}
    layout.folder(path, "csv", "of a CSV file")
    found = sorted(path.glob("*.csv"))
    named = {split: file for file in found if (split := split_named(file.stem))}
    if named or len(found) == 1:
        return named or {ALL: found[0]}
    names = ", ".join(file.name for file in found) or "none"
    raise DataError(f"Folder '{path}' must have one CSV file, or train.csv, val.csv and test.csv; it has: {names}.")


def _splits(root: Path, request: Request, tables: dict[str, Table], divide: bool | None) -> dict[str, list[Entry]]:
    """Read the rows, split by split."""
    if ALL not in tables:
        asked = layout.asked(root, tables, request)
        return {split: [entry for *_, entry in read_entries(table, request.account)] for split, table in asked.items()}
    rows = read_entries(tables[ALL], request.account)
    if tables[ALL].split:
        found: dict[str, list[Entry]] = {}
        for _, split, entry in rows:
            found.setdefault(str(split), []).append(entry)
        return layout.asked(root, found, request)
    entries = {name: entry for name, _, entry in rows}
    return {split: list(own.values()) for split, own in layout.divided(root, entries, request, divide).items()}
