"""Splits that a data set of folders has in text files: train.txt and test.txt, or CUB's train_test_split.txt."""

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.files.entries import Entry
from pipelines.splits import SPLITS, split_named, split_within

PLAIN = 0.5  # of the lines of a list that name images: one with fewer is something else
LARGE = 1 << 26  # bytes of a file that is not looked at
SHOWN = 3
CUB = ("images.txt", "train_test_split.txt")
Lines = list[tuple[int, str]]  # each with its number


def find(tree: Tree, images: Path, entries: Mapping[str, Entry], account: Account) -> dict[str, dict[str, Entry]]:
    """Return the images of each split that lists name; nothing where no list of train and one of another split are.

    A line is the path of an image from the folder of the images or of the data, or its name, with its suffix or
    without; what follows it, as the number of a class, is not read. What no list has is left out, which is told.

    Args:
        tree: the files.
        images: the folder in which the images lie.
        entries: the images, by their paths from that folder.
        account: told of the lists, of lines that name no image, and of images in no list.

    Raises:
        DataError: an image is in the lists of two splits, or (unless it is skipped) a line names none.
    """
    keys = _keys(tree, images, entries)
    lists = dict(_lists(tree, keys))
    named: dict[str, list[Path]] = {}
    for path, (split, _) in lists.items():
        named.setdefault(split, []).append(path)
    if not lists or "train" not in named or len(named) == 1:
        return {}
    if several := next((paths for paths in named.values() if len(paths) > 1), None):
        shown = ", ".join(f"'{path}'" for path in several[:SHOWN])
        warnings.warn(
            f"{shown} all list images of a split, and which is meant cannot be told: they are not used. Name a folder "
            "of one train.txt, val.txt and test.txt by the option split_lists.",
            stacklevel=5,
        )
        return {}
    owners: dict[str, Path] = {}
    found: dict[str, dict[str, Entry]] = {}
    for path, (split, lines) in lists.items():
        account.use(path, f"list of {split}")
        for number, line in lines:
            name = _named(line, keys)
            if name is None:
                account.lose(f"'{path}': line {number}: '{line}' is no image of '{images}'.")
            elif owners.setdefault(name, path) != path:
                raise DataError(
                    f"'{entries[name].image}' is in '{owners[name]}' and in '{path}': it may be in one split alone."
                )
            else:
                found.setdefault(split, {})[name] = entries[name]
    _tell(tree, lists, entries, owners, account)
    return {split: found[split] for split in SPLITS if split in found}


def _tell(
    tree: Tree, lists: Mapping[Path, object], entries: Mapping[str, Entry], owners: Mapping[str, Path], account: Account
) -> None:
    """Say that lists are used, and leave out the images that are in none."""
    left = [entry for name, entry in entries.items() if name not in owners]
    for entry in left:
        account.leave(entry.image, "in no list of a split")
        if entry.mask:
            account.leave(entry.mask, "of an image in no list of a split")
    names = [os.path.relpath(path, tree.root) for path in lists]
    rest = f"; {len(left)} of {len(entries)} images are in none, and are left out" if left else ""
    warnings.warn(
        f"The splits of '{tree.root}' are those of {' and '.join(names)}{rest} (the option divide=true divides anew).",
        stacklevel=5,
    )


def _keys(tree: Tree, images: Path, entries: Mapping[str, Entry]) -> dict[str, str | None]:
    """Return what lists may call an image, with its name among the entries; None for what two may be called."""
    start = os.path.relpath(images, tree.root).replace(os.sep, "/")
    found: dict[str, str | None] = {}
    for name in entries:
        for called in {name, f"{start}/{name}", name.rpartition("/")[2]}:
            for key in {called, os.path.splitext(called)[0]}:
                found[key] = name if found.get(key, name) == name else None
    return found


def _named(line: str, keys: Mapping[str, str | None]) -> str | None:
    plain = line.replace("\\", "/").removeprefix("./").lstrip("/")
    for each in (plain, plain.rpartition(" ")[0].strip(), plain.partition(" ")[0], plain.partition(",")[0]):
        if each and (name := keys.get(each)):
            return name
    return None


def _lists(tree: Tree, keys: Mapping[str, str | None]) -> Iterator[tuple[Path, tuple[str, Lines]]]:
    """Yield the lists of splits, each with its split and its lines."""
    for name in tree.like("**/*.txt"):
        stem, path = Path(name).stem, tree.path(name)
        split = split_named(stem) or split_within(stem)
        if split is None or path.stat().st_size > LARGE:
            continue
        lines = [(number, line.strip()) for number, line in enumerate(_text(path).splitlines(), 1) if line.strip()]
        if lines and sum(_named(line, keys) is not None for _, line in lines) >= PLAIN * len(lines):
            yield path, (split, lines)
    yield from _cub(tree, keys)


def _cub(tree: Tree, keys: Mapping[str, str | None]) -> Iterator[tuple[Path, tuple[str, Lines]]]:
    """Yield the splits of CUB-200: images.txt has a number and an image a line, train_test_split.txt 1 for train."""
    for first in tree.like(f"**/{CUB[0]}"):
        other = first[: -len(CUB[0])] + CUB[1]
        if other not in tree.names:
            continue
        tables = [
            dict(line.split(maxsplit=1) for line in _text(tree.path(name)).splitlines() if " " in line)
            for name in (first, other)
        ]
        images, trained = tables
        for path, split, value in ((first, "train", "1"), (other, "test", "0")):
            own = [
                (place, name.strip())
                for place, (key, name) in enumerate(images.items(), 1)
                if trained.get(key) == value
            ]
            if own and all(_named(name, keys) for _, name in own):
                yield tree.path(path), (split, own)


def _text(path: Path) -> str:
    try:
        return layout.text(path)
    except DataError:  # of no text, which is no list
        return ""
