"""Pictures on disk: found, read, named apart."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from pipelines import DataError
from pipelines.pixels import pictures
from pipelines.pixels.rules import SUFFIXES
from visionmtl.errors import UsageError


def find(paths: Sequence[str | Path]) -> list[Path]:
    """Return the image files among `paths` and in the folders among them.

    Raises:
        UsageError: a path is not there, or a folder holds no picture.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if _is_picture(file))
            if not inside:
                raise UsageError(f"The folder '{path}' holds no picture ({', '.join(sorted(SUFFIXES))}).")
            files += inside
        elif path.is_file():
            files.append(path)
        else:
            raise UsageError(f"There is no picture '{path}'.")
    return list(dict.fromkeys(files))


def _is_picture(path: Path) -> bool:
    """Whether a file in a folder is a picture by its name; hidden ones, such as copies by other systems, are not."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def read(path: Path) -> np.ndarray:
    """Return a picture, upright, uint8 `[H, W, 3]`.

    Raises:
        pipelines.DataError: the file is missing, truncated or no picture, or nothing says what is white in it.
    """
    header = pictures.inspect(path)
    turn = header.orientation != 1
    slow = turn or not header.fast
    try:
        return pictures.decode(tf.constant(str(path)), tf.constant(slow), tf.constant(turn)).numpy()
    except (tf.errors.OpError, OSError, ValueError) as error:
        raise DataError(pictures.fault(path, slow) or f"Image '{path}' cannot be decoded.") from error


def distinct_names(files: Sequence[Path]) -> dict[Path, str]:
    """Return a name for what is written about each file: its stem, numbered where two folders hold the same."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for file in files:
        name, number = file.stem, 1
        while name in taken:
            number += 1
            name = f"{file.stem}-{number}"
        taken.add(name)
        names[file] = name
    return names
