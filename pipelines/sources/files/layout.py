"""Which files of a folder belong to which split, and what else a folder may say beside its pictures."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pipelines.contract import Request
from pipelines.errors import DataError, MissingSplitError, Problems
from pipelines.kinds.spec import IGNORE
from pipelines.sources.files.entries import inside
from pipelines.splits import ALIASES

FRACTIONS = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}  # of a folder without splits
WHOLE = (0.0, 1.0)
CLASSES_FILE = "mask_classes.json"
MaskClasses = tuple[tuple[str, ...], int]
PICTURES = {  # those that cannot be decoded too, so that they are told and not passed over
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
    *(".ppm", ".pgm", ".avif", ".heic", ".heif"),
}
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


def places(path: Path) -> list[Path]:
    """Return a folder and those of the splits in it: where the files of a format may be."""
    return [path, *folders(path).values()]


def fractions(root: Path, request: Request, divide: bool | None) -> dict[str, tuple[float, float]]:
    """Return the fraction that each split has of data without splits, as a range of the hash of the file names.

    Args:
        root: where the data is.
        request: the splits asked for.
        divide: whether to divide 80/10/10. None divides unless one split alone is asked for, which is then all.

    Raises:
        DataError: several splits are asked for, but must not be made.
    """
    divide = not request.one_alone if divide is None else divide
    if not divide and len(request.splits) > 1:
        raise DataError(f"'{root}' has no splits: ask for one of {', '.join(request.splits)}, or let it be divided.")
    return {split: FRACTIONS[split] if divide else WHOLE for split in request.splits}


def holds(fraction: tuple[float, float], name: str) -> bool:
    """Whether a file of this name belongs to a fraction, a range of hashes."""
    digest = hashlib.md5(name.encode(errors="surrogateescape"), usedforsecurity=False).digest()
    return fraction[0] <= int.from_bytes(digest[:4], "big") / 2**32 < fraction[1]


def divided(root: Path, names: Iterable[T], request: Request, divide: bool | None) -> dict[str, list[T]]:
    """Divide what has no splits among those asked for, by the hash of each name; `fractions` has the arguments."""
    names = list(names)
    return {
        split: [name for name in names if holds(fraction, str(name))]
        for split, fraction in fractions(root, request, divide).items()
    }


def asked(root: Path, found: Mapping[str, T], request: Request) -> dict[str, T]:
    """Return the splits asked for that are there.

    Raises:
        MissingSplitError: "train" is not, or none is.
    """
    for split in request.splits:
        if split not in found and (split == "train" or not set(found) & set(request.splits)):
            raise MissingSplitError(f"'{root}' has no split '{split}'; it has: {', '.join(found) or 'none'}.")
    return {split: found[split] for split in request.splits if split in found}


def pictures_in(root: Path) -> Iterator[Path]:
    """Yield the pictures of a folder and its subfolders in the order of their names, hidden ones left out."""
    for place, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURES:
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


def without_image(root: Path, suffix: str, stems: Iterable[str]) -> list[Path]:
    """Return the files of labels in a folder whose stem, as `by_stem` has it, is none of `stems`."""
    known = set(stems)
    files = sorted(root.rglob(f"*{suffix}"))
    return [path for path in files if path.relative_to(root).with_suffix("").as_posix() not in known]


def text(path: Path) -> str:
    """Return what a text file says.

    Raises:
        DataError: it is no text in UTF-8, or cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is no text in UTF-8: {error}.") from None
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}.") from None


def listed(path: Path, find: Callable[[str], Path], problems: Problems) -> dict[str, Path]:
    """Read a text file that lists images, one a line, and return their files by their names there.

    Args:
        path: the text file.
        find: from a name to the image; a ValueError says that there is none.
        problems: told of each line that cannot be used.

    Raises:
        DataError: it is no text.
    """
    found: dict[str, Path] = {}
    for number, line in enumerate(text(path).splitlines(), 1):
        name = line.strip().removeprefix("./")
        if not name:
            continue
        try:
            if inside(name, "image") in found:
                raise ValueError(f"image '{name}' is given twice")
            found[name] = find(name)
        except ValueError as error:
            problems.report(f"'{path}': line {number}: {error}.")
    return found


def mask_classes(root: Path, places: Iterable[Path]) -> MaskClasses | None:
    """Read the classes of masks from `mask_classes.json` in the folders of the splits, or else in `root`.

    Returns:
        The class names and the value that is ignored; None where there is no such file.

    Raises:
        DataError: a file is malformed, or two disagree.
    """
    files = [next((p for p in (place / CLASSES_FILE, root / CLASSES_FILE) if p.is_file()), None) for place in places]
    found = {path: _mask_classes(path) for path in files or [root / CLASSES_FILE] if path and path.is_file()}
    for path, classes in found.items():
        first = next(iter(found))
        if classes != found[first]:
            raise DataError(f"'{path}': the classes or the ignored value are not those of '{first}'.")
    return next(iter(found.values()), None)


def _mask_classes(path: Path) -> MaskClasses:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        classes, ignore = content["classes"], content.get("ignore", IGNORE)
        if all(isinstance(c, str) for c in classes) and 0 < len(classes) <= ignore <= IGNORE:
            return tuple(classes), ignore
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        pass
    raise DataError(f'\'{path}\' must be {{"classes": [names], "ignore": a value above them, at most 255}}.')
