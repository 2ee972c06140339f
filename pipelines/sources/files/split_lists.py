"""Splits by lists: a folder of train.txt, val.txt and test.txt that name the images of a source of files."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.contract import Request
from pipelines.errors import DataError, MissingSplitError
from pipelines.sources.files import layout
from pipelines.sources.files.entries import Entry
from pipelines.splits import SPLITS, split_named


class Names:
    """Images found by what lists and tables call them.

    Args:
        images: the files.
        root: the folder from which names lead to them, or a file in it.
    """

    def __init__(self, images: Iterable[Path], root: Path):
        self.root = root.parent if root.is_file() else root
        self.paths = {name_of(image, self.root): place for place, image in enumerate(images)}
        self.bare: dict[str, list[int]] = {}
        for name, place in self.paths.items():
            self.bare.setdefault(name.rpartition("/")[2], []).append(place)

    def find(self, name: str) -> int:
        """Return the place of an image by its path from the folder, by its whole path, or by its bare name.

        Raises:
            ValueError: no image or several are called so.
        """
        plain = name.replace("\\", "/").removeprefix("./")
        place = self.paths.get(plain)
        if place is None and os.path.isabs(name):
            place = self.paths.get(name_of(Path(name), self.root))
        if place is not None:
            return place
        several = self.bare.get(plain, [])
        if len(several) > 1:
            raise ValueError(f"{len(several)} images are called '{name}': give the path from '{self.root}'")
        if not several:
            raise ValueError(f"'{name}' is no image of '{self.root}'")
        return several[0]


def name_of(image: Path, root: Path) -> str:
    """Return the path that leads from a folder to an image, with "/" between its parts."""
    text, start = str(image), f"{root}{os.sep}"
    inner = text[len(start) :] if text.startswith(start) else os.path.relpath(text, root)
    return inner.replace(os.sep, "/")


def pooled(request: Request, folder: str | Path | None) -> Request:
    """Return the request for all images there are, to be divided by the lists of a folder; as it is without one.

    Raises:
        DataError: there is no such folder, or no list in it.
    """
    return request if folder is None else replace(request, pooled=True, lists=read_lists(Path(folder)))


def read_lists(folder: Path) -> dict[str, Path]:
    """Return the lists of a folder by their splits.

    Raises:
        DataError: there is none, or two of one split.
    """
    if not folder.is_dir():
        raise DataError(
            f"Folder '{folder}' of split_lists does not exist: expected train.txt, val.txt or test.txt in it."
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.txt")):
        split = split_named(path.stem)
        if split is None:
            warnings.warn(f"'{path}' is no list of a split, and not read.", stacklevel=2)
        elif split in found:
            raise DataError(f"'{found[split]}' and '{path}' both list split '{split}': join them.")
        else:
            found[split] = path
    if not found:
        raise DataError(f"Folder '{folder}' of split_lists has no train.txt, val.txt or test.txt.")
    return {split: found[split] for split in SPLITS if split in found}


def listed(request: Request, entries: Mapping[str, list[Entry]]) -> Mapping[str, list[Entry]]:
    """Return the images of each split asked for, as the lists of the request divide all there are.

    Without lists they are as they were. What is in no list is left out, and a warning says how much that is.

    Raises:
        DataError: a split asked for has no list, an image is in two, or (unless it is skipped) a list names one that is
            not there.
    """
    lists = request.lists
    if lists is None:
        return entries
    folder = next(iter(lists.values())).parent
    for split in request.splits:
        if split not in lists and (split == "train" or not set(lists) & set(request.splits)):
            raise MissingSplitError(f"'{folder}' has no list of split '{split}'; it has: {', '.join(lists)}.")
    images = list({entry.image: entry for own in entries.values() for entry in own}.values())
    names = Names([entry.image for entry in images], request.path or Path())
    chosen = {split: _lines(path, names, request) for split, path in lists.items()}
    owners: dict[int, str] = {}
    for split, places in chosen.items():
        for place in places:
            if place in owners:
                one, other = lists[owners[place]], lists[split]
                raise DataError(
                    f"Image '{images[place].image}' is in '{one}' and in '{other}': it may be in one split alone."
                )
            owners[place] = split
    _leave(images, owners, folder, request)
    return {split: [images[place] for place in chosen[split]] for split in request.splits if split in chosen}


def _lines(path: Path, names: Names, request: Request) -> list[int]:
    """Return the places of the images that a list names."""
    found: dict[int, int] = {}
    for number, line in enumerate(layout.text(path).splitlines(), 1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        try:
            place = names.find(name)
            if place in found:
                raise ValueError(f"'{name}' is given twice, first in line {found[place]}")
            found[place] = number
        except ValueError as error:
            request.account.lose(f"'{path}': line {number}: {error}.")
    return list(found)


def _leave(images: Sequence[Entry], owners: Mapping[int, str], folder: Path, request: Request) -> None:
    """Note which images are in no list, or in that of a split that is not asked for."""
    for place, entry in enumerate(images):
        split = owners.get(place)
        if split in request.splits:
            continue
        rule = f"of split {split}, not asked for" if split else "of an image in no list of a split"
        if entry.annotations:
            request.account.leave_annotations(rule, entry.annotations)
        for file in (entry.image, entry.mask, entry.index):  # an index of several images is used again by the others
            if file is not None and file.is_file():
                request.account.leave(file, rule)
    left = len(images) - len(owners)
    if left:
        text = f"{left} of {len(images)} images are in no list of '{folder}', and are left out."
        warnings.warn(text, stacklevel=2)
