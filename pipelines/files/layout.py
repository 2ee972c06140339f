"""Which files of a folder belong to which split, and what else a folder may say beside its pictures."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pipelines.errors import DataError, Problems
from pipelines.specs import IGNORE

ALIASES = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}
SHARES = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}  # of a folder without splits
WHOLE = (0.0, 1.0)
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
T = TypeVar("T")


def folder(path: Path | None, source: str, expected: str) -> Path:
    """Return the folder of a source.

    Raises:
        DataError: none is given, or it does not exist.
    """
    if path is None:
        raise DataError(f"Source '{source}' needs path=FOLDER, {expected}.")
    if not path.is_dir():
        raise DataError(f"Folder '{path}' does not exist." if not path.exists() else f"'{path}' is no folder.")
    return path


def folders(root: Path) -> dict[str, Path]:
    """Return the folders in `root` that are named as splits, "val" and "valid" too."""
    pairs = [(split, root / alias) for split, aliases in ALIASES.items() for alias in aliases]
    return {split: path for split, path in pairs if path.is_dir()}


def split_named(name: str) -> str | None:
    """Return the split that a name such as "val" stands for, or None."""
    return next((split for split, aliases in ALIASES.items() if name.lower() in aliases), None)


def shares(root: Path, splits: tuple[str, ...], divide: bool | None) -> dict[str, tuple[float, float]]:
    """Return the share that each split has of data without splits, as a range of the hash of the file names.

    Args:
        root: where the data is.
        splits: those asked for.
        divide: whether to divide 80/10/10. None divides unless one split alone is asked for, which is then all.

    Raises:
        DataError: several splits are asked for, but must not be made.
    """
    divide = len(splits) > 1 if divide is None else divide
    if not divide and len(splits) > 1:
        raise DataError(f"Folder '{root}' has no splits: ask for one of {', '.join(splits)}, or let it be divided.")
    return {split: SHARES[split] if divide else WHOLE for split in splits}


def holds(share: tuple[float, float], name: str) -> bool:
    """Whether a file of this name belongs to a share."""
    digest = hashlib.md5(name.encode(errors="surrogateescape"), usedforsecurity=False).digest()
    return share[0] <= int.from_bytes(digest[:4], "big") / 2**32 < share[1]


def divided(root: Path, names: Iterable[T], splits: tuple[str, ...], divide: bool | None) -> dict[str, list[T]]:
    """Divide what has no splits among those asked for, by the hash of each name; `shares` has the arguments."""
    names = list(names)
    return {
        split: [name for name in names if holds(share, str(name))]
        for split, share in shares(root, splits, divide).items()
    }


def asked(root: Path, found: Mapping[str, T], splits: tuple[str, ...]) -> dict[str, T]:
    """Return the splits asked for that are there.

    Raises:
        DataError: "train", or the only split asked for, is not.
    """
    for split in splits:
        if split not in found and (split == "train" or len(splits) == 1):
            raise DataError(f"Folder '{root}' has no split '{split}'; it has: {', '.join(found) or 'none'}.")
    return {split: found[split] for split in splits if split in found}


def pictures_in(root: Path) -> Iterator[Path]:
    """Yield the pictures of a folder and its subfolders in the order of their names, hidden ones left out."""
    for place, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in PICTURES:
                yield Path(place, name)


def by_stem(root: Path, problems: Problems) -> dict[str, Path]:
    """Return the pictures of a folder by their names without the suffix, as "cats/tom" for "cats/tom.jpg".

    Args:
        root: the folder.
        problems: told of each picture whose stem another has: their labels could not be told apart.
    """
    found: dict[str, Path] = {}
    for path in pictures_in(root):
        first = found.setdefault(path.relative_to(root).with_suffix("").as_posix(), path)
        if first != path:
            problems.report(f"Image '{path}' has the name of '{first.name}': their labels cannot be told apart.")
    return found


def mask_classes(*places: Path) -> tuple[tuple[str, ...], int] | None:
    """Read `mask_classes.json` from the first of these folders that has one.

    Returns:
        The class names and the value that is ignored; None where there is no such file.

    Raises:
        DataError: the file is malformed.
    """
    path = next((place / "mask_classes.json" for place in places if (place / "mask_classes.json").is_file()), None)
    if path is None:
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        classes, ignore = content["classes"], content.get("ignore", IGNORE)
        if all(isinstance(c, str) for c in classes) and 0 < len(classes) <= ignore <= IGNORE:
            return tuple(classes), ignore
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        pass
    raise DataError(f'\'{path}\' must be {{"classes": [names], "ignore": a value above them, at most 255}}.')
