"""Which files of a folder belong to which split, and what else a folder may say beside its pictures."""

import codecs
import hashlib
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.contract import Request
from pipelines.errors import DataError, MissingSplitError
from pipelines.kinds.spec import IGNORE
from pipelines.pixels.rules import SUFFIXES
from pipelines.sources.files.entries import Entry
from pipelines.splits import SPLITS, SYNONYMS, split_named

FRACTIONS = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}  # of a folder without splits
WHOLE = (0.0, 1.0)
OTHER_SPLIT = "of a split that is not asked for"
CLASSES_FILE = "mask_classes.json"
MaskClasses = tuple[tuple[str, ...], int | None]
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # marks of a text of two bytes a character
T = TypeVar("T")


def folder(path: Path | None, source: str, expected: str) -> Path:
    """Return the folder of a source.

    Raises:
        DataError: none is given, or it does not exist.
    """
    if path is None:
        raise DataError(f"Source '{source}' needs data.path=FOLDER, {expected}.")
    if not path.is_dir():
        raise DataError(f"Folder '{path}' does not exist." if not path.exists() else f"'{path}' is no folder.")
    return path


def folders(root: Path) -> dict[str, Path]:
    """Return the folders in `root` that are named as splits: "val", "valid" and "Testing" too.

    Raises:
        DataError: two are the same split.
    """
    found: dict[str, Path] = {}
    inner = sorted(root.iterdir()) if root.is_dir() else []
    for split, path in ((split_named(path.name), path) for path in inner if path.is_dir()):
        if split and split in found:
            raise DataError(f"'{found[split]}' and '{path}' both are split '{split}': join them, or rename one.")
        if split:
            found[split] = path
    return {split: found[split] for split in SPLITS if split in found}


def fractions(root: Path, request: Request, divide: bool | None) -> dict[str, tuple[float, float]]:
    """Return the fraction that each split has of data without splits, as a range of the hash of the file names.

    Args:
        root: where the data is.
        request: the splits asked for.
        divide: whether to divide 80/10/10. None divides unless one split alone is asked for, which is then all.

    Raises:
        DataError: several splits are asked for, but must not be made.
    """
    if request.pooled:
        request.account.undivided = request.lists is None
        return {SPLITS[0]: WHOLE}
    divide = not request.one_alone if divide is None else divide
    if not divide and len(request.splits) > 1:
        raise DataError(f"'{root}' has no splits: ask for one of {', '.join(request.splits)}, or let it be divided.")
    return {split: FRACTIONS[split] if divide else WHOLE for split in request.splits}


def holds(fraction: tuple[float, float], name: str) -> bool:
    """Whether a file of this name belongs to a fraction, a range of hashes."""
    digest = hashlib.md5(name.encode(errors="surrogateescape"), usedforsecurity=False).digest()
    return fraction[0] <= int.from_bytes(digest[:4], "big") / 2**32 < fraction[1]


def divided(root: Path, named: Mapping[str, T], request: Request, divide: bool | None) -> dict[str, dict[str, T]]:
    """Divide what has no splits among those asked for, and set aside the rest of the folder; see `parted`."""
    chosen = parted(root, named, request, divide)
    if sum(map(len, chosen.values())) < len(named):
        request.account.leave_below(root, OTHER_SPLIT)
    return chosen


def divided_entries(
    root: Path, named: Mapping[str, Entry], request: Request, divide: bool | None
) -> dict[str, list[Entry]]:
    """Divide images as `divided` does, and set aside the annotations of those that fall to another split."""
    chosen = {split: list(own.values()) for split, own in divided(root, named, request, divide).items()}
    left = sum(e.annotations for e in named.values()) - sum(e.annotations for own in chosen.values() for e in own)
    if left:
        request.account.leave_annotations(OTHER_SPLIT, left)
    return chosen


def parted(root: Path, named: Mapping[str, T], request: Request, divide: bool | None) -> dict[str, dict[str, T]]:
    """Divide what has no splits among those asked for, by the hash of each name; `fractions` has the arguments.

    Raises:
        DataError: there is so little that a split is left without.
    """
    ranges = fractions(root, request, divide)
    chosen = {split: {name: named[name] for name in named if holds(own, name)} for split, own in ranges.items()}
    for split, own in chosen.items():
        if named and not own:
            raise DataError(
                f"'{root}' has no splits, and is too small to be divided: of its {len(named)} images none falls to "
                f"'{split}'. Add images, put them into train/ and val/, or ask for one split."
            )
    return chosen


def asked(root: Path, found: Mapping[str, T], request: Request) -> dict[str, T]:
    """Return the splits asked for that are there.

    Raises:
        MissingSplitError: "train" is not, or none is.
    """
    for split, place in found.items():
        called = [part for part in place.parts if part.lower() in SYNONYMS] if isinstance(place, Path) else []
        if called and SYNONYMS[called[-1].lower()] == split:
            warnings.warn(f"'{place}' is taken as split '{split}', by the name '{called[-1]}'.", stacklevel=3)
    if request.pooled and found:
        return {split: found[split] for split in (*SPLITS, *found) if split in found}
    for split in request.splits:
        if split not in found and (split == "train" or not set(found) & set(request.splits)):
            raise MissingSplitError(f"'{root}' has no split '{split}'; it has: {', '.join(found) or 'none'}.")
    for split, place in found.items():
        if split not in request.splits and isinstance(place, Path):
            leave = request.account.leave_below if place.is_dir() else request.account.leave
            leave(place, f"of split {split}, not asked for")
    return {split: found[split] for split in request.splits if split in found}


def is_picture(name: str) -> bool:
    """Whether a file of this name is a picture, in any case of letters."""
    return name[name.rfind(".") :].lower() in SUFFIXES


def pictures_in(tree: Tree, folder: str = "") -> Iterator[str]:
    """Yield the names of the pictures beneath a folder of a tree."""
    return filter(is_picture, tree.within(folder))


def beginning(path: Path, size: int) -> str:
    """Return what the first bytes of a text file say, by its mark; of what is no text, anything.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        content = file.read(size)
    wide = content.startswith(WIDE)
    return _plain(content.decode("utf-16" if wide else "utf-8-sig", errors="replace"))


def text(path: Path) -> str:
    """Return what a text file says: UTF-8, UTF-16 with its mark, or else Latin-1, with a warning.

    Raises:
        DataError: it is no text, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}.") from None
    wide = content.startswith(WIDE)
    try:
        read = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        read = content.decode("cp1252", errors="replace")  # Latin-1 as Windows has it
        warnings.warn(f"'{path}' is no text in UTF-8: it is read as Latin-1.", stacklevel=2)
    if "\0" in read:
        raise DataError(f"'{path}' is no text: it has bytes of value 0.")
    return _plain(read)


def _plain(read: str) -> str:
    """Return a text with the ends of its lines as they are here."""
    return read.replace("\r\n", "\n").replace("\r", "\n")


def mask_classes(root: Path, places: Iterable[Path], account: Account) -> MaskClasses | None:
    """Read the classes of masks from `mask_classes.json` in the folders of the splits, or else in `root`.

    Returns:
        The class names and the value that is ignored, None if it does not say; None where there is no such file.

    Raises:
        DataError: a file is malformed, or two disagree.
    """
    files = [next((p for p in (place / CLASSES_FILE, root / CLASSES_FILE) if p.is_file()), None) for place in places]
    found = {path: _mask_classes(path) for path in files or [root / CLASSES_FILE] if path and path.is_file()}
    for path, classes in found.items():
        account.use(path, "class names")
        first = next(iter(found))
        if classes != found[first]:
            raise DataError(f"'{path}': the classes or the ignored value are not those of '{first}'.")
    return next(iter(found.values()), None)


def _mask_classes(path: Path) -> MaskClasses:
    read = text(path)
    try:
        content = json.loads(read)
        classes, ignore = content["classes"], content.get("ignore")
        highest = IGNORE if ignore is None else ignore
        if all(isinstance(c, str) for c in classes) and 0 < len(classes) <= highest <= IGNORE:
            return tuple(classes), ignore
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        pass
    raise DataError(f'\'{path}\' must be {{"classes": [names], "ignore": a value above them, at most 255}}.')
