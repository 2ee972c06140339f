"""The names of the classes where no data.yaml has them: a file with a name a line, or Label Studio's notes."""

import json
import warnings
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.yolo.layouts import NAMES
from pipelines.sources.yolo.lines import is_label

NOTES = "notes.json"  # Label Studio's


def name_files(tree: Tree) -> dict[str, tuple[str, ...]]:
    """Return the files that name classes, by their names in the tree, with the classes.

    Raises:
        DataError: one is malformed.
    """
    found = {name: _read(tree.path(name)) for pattern in NAMES for name in tree.like(f"**/{pattern}")}
    for name in ("labels.txt", "labels/labels.txt"):  # makesense's, which could be the labels of labels.jpg
        if tree.has(name) and is_label(tree.path(name)) is False:
            found[name] = _read(tree.path(name))
    for name in tree.like(f"**/{NOTES}"):
        notes = _read_notes(tree.path(name))
        if notes:
            found[name] = notes
    return found


def class_names(
    files: dict[str, tuple[str, ...]],
    tree: Tree,
    settings: Path | None,
    named: tuple[str, ...] | None,
    account: Account,
) -> tuple[str, ...] | None:
    """Return the names of the classes, and claim the files that have them.

    Args:
        files: from `name_files`.
        tree: where they are.
        settings: the settings file.
        named: the names that it has, or that are given by an option, which are those that hold.
        account: told of the files.

    Raises:
        DataError: two files disagree.
    """
    first = next(iter(files), None)
    for name, classes in files.items():
        path = tree.path(name)
        if named is not None:
            account.leave(path, "class names, which are given elsewhere")
            if classes != named and settings is not None:
                warnings.warn(f"'{path}' has other class names than '{settings}', which is used.", stacklevel=2)
        elif first is not None and classes != files[first]:
            raise DataError(
                f"'{tree.path(first)}' and '{path}' name the classes differently: keep the one that is right."
            )
        elif name.endswith(NOTES) and name != first:
            account.leave(path, "class names, which are given elsewhere")
        else:
            account.use(path, "class names")
    return named if named is not None else files[first] if first is not None else None


def _read(path: Path) -> tuple[str, ...]:
    names = [line.strip() for line in layout.text(path).rstrip().split("\n")]
    for number, name in enumerate(names, 1):
        if not name:
            raise DataError(f"'{path}': line {number} is empty: expected the name of a class, one a line.")
        if name in names[: number - 1]:
            raise DataError(f"'{path}': line {number}: '{name}' is given twice: expected names that are all different.")
    return tuple(names)


def _read_notes(path: Path) -> tuple[str, ...]:
    """Return the categories of Label Studio's notes; none where they are something else."""
    text = layout.text(path)
    try:
        categories = json.loads(text)["categories"]
        return tuple(row["name"] for row in sorted(categories, key=lambda row: row["id"]))
    except (ValueError, RecursionError, KeyError, TypeError):
        return ()
