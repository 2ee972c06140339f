"""Which files of a folder are tables of its pictures, and of which split: told by their headers and first rows."""

import re
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree, below
from pipelines.errors import DataError
from pipelines.sources.csv import boxes, grid, roles
from pipelines.sources.csv.images import Pictures
from pipelines.sources.csv.roles import Given, NoLabelsError
from pipelines.sources.files import layout
from pipelines.sources.layouts import Sign
from pipelines.splits import split_named, split_within

ALL = "all"  # in place of a split's name: a file of all splits
SUFFIXES = (".csv", ".tsv")
FOLDERS = ("annotations", "annotation", "labels", "csv", "metadata")  # in which tables lie, beside the pictures' folder
SUBMISSION = re.compile(r"submission", re.IGNORECASE)
NO_ANSWERS = "a sample of answers to hand in"
NO_TABLE = "no table that can be read"
NO_LABELS = "a table in which no column is known as labels"
NO_PICTURES = "a table that names no picture here"


def candidates(tree: Tree) -> list[str]:
    """Return the names of the tables that may be of the pictures of a folder."""
    inner = [name for name in tree.inner() if split_named(name) or name.casefold() in FOLDERS]
    return [
        below(folder, file)
        for folder in ("", *inner)
        for file in tree.folders.get(folder, ())
        if file.lower().endswith(SUFFIXES)
    ]


def seen(tree: Tree, given: Given | None = None) -> dict[str, str | None]:
    """Return the candidates of a folder, each with the rule by which it is set aside, or None for a table."""
    return {name: _rule(tree, name, given or Given()) for name in candidates(tree)}


def is_there(tree: Tree) -> bool:
    """Whether a folder has a table that names pictures of it and says something of them, or is such a file."""
    if tree.root.is_dir() and len(tree.names) == 1 and not tree.folders.keys() - {""}:
        file = tree.root / tree.names[0]
        if file.suffix.lower() in (*SUFFIXES, ".xlsx", ".xls"):
            return True  # a file alone, asked for by its name: what is wrong with it is told when it is read
    return any(rule is None for rule in seen(tree).values())


def unlabelled(tree: Tree) -> str:
    """Say of a table that names the pictures of a folder, and nothing that labels them, what it lacks; or nothing."""
    for name in candidates(tree):
        if not SUBMISSION.search(name) and _rule(tree, name, Given()) == NO_LABELS:
            head = grid.peek(tree.path(name))
            try:
                assert head is not None  # since it has a rule
                roles.assign(head, Given(), Pictures.of(tree, tree.path(name)).has)
            except NoLabelsError as error:
                return f"{error} Name the source with it: data.source=csv."
    return ""


SIGN = Sign("a table that names the pictures and labels them", is_there)


def _rule(tree: Tree, name: str, given: Given) -> str | None:
    head = grid.peek(tree.path(name))
    if head is None:
        return NO_TABLE
    pictures = Pictures.of(tree, tree.path(name))
    try:
        column = roles.image_column(head, head.columns, given.image, pictures.has)
    except DataError:
        return NO_PICTURES
    names = list(dict.fromkeys(head.cells[column]))[: roles.FIRST]
    here = sum(map(pictures.has, names))
    if not here or (here * 2 < len(names) and boxes.plain(column) not in roles.FILES):
        return NO_PICTURES
    try:
        roles.assign(head, given, pictures.has)
    except NoLabelsError:
        return NO_LABELS
    except DataError:
        pass  # it is told when the table is read
    return NO_ANSWERS if SUBMISSION.search(name) else None


def find(path: Path, tree: Tree, given: Given, account: Account) -> dict[str, Path]:
    """Find the table of each split, or of ALL.

    Raises:
        DataError: there is none, or several are of the same pictures.
    """
    if path.is_file():
        return {ALL: path}
    layout.folder(path, "csv", "of a CSV file")
    known = seen(tree, given)
    chosen = [name for name, rule in known.items() if rule is None]
    if not chosen:  # the nearest to one, which then says what is wrong with it
        chosen = [name for name in known if "/" not in name and not SUBMISSION.search(name)]
    for name, rule in known.items():
        if name not in chosen and rule:
            account.leave(tree.path(name), rule)
    named = {name: _split(name) for name in chosen}
    if len(chosen) == 1:
        return {named[chosen[0]] or ALL: tree.path(chosen[0])}
    found: dict[str, Path] = {}
    for name, split in named.items():
        if split is None or split in found:
            break
        found[split] = tree.path(name)
    else:
        if found:
            return found
    names = ", ".join(sorted(chosen)) or "none"
    other = [name for name, split in named.items() if split is None]
    splits = [split for split in named.values() if split]
    if splits and len(other) == 1 and len(set(splits)) == len(splits):  # as GTSRB's Meta.csv, of one sign a class
        raise DataError(
            f"Folder '{path}' has {names}, and the name of {other[0]} says no split: move it elsewhere, or give one of "
            "them as the path."
        )
    raise DataError(
        f"Folder '{path}' must have one CSV file, or train.csv, val.csv and test.csv; it has: {names}."
        + (" Give one of them as the path; tables of the same pictures can be joined." if chosen else "")
    )


def _split(name: str) -> str | None:
    folder, _, file = name.rpartition("/")
    return split_named(folder) or split_within(Path(file).stem)
