"""One writer of whole files, and its sentence for the command line."""

import shutil
import zipfile
import zlib
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines import files
from pipelines.pixels import png
from visionmtl.errors import UsageError

told = partial(files.told, error=UsageError)
written_folder = partial(files.written_folder, error=UsageError)
written_whole = partial(files.written_whole, error=UsageError)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with written_whole(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """Write a picture, uint8 `[H, W]` or `[H, W, 3]`, in the format that its name says, whole or not at all."""
    with written_whole(path, durable=False) as unfinished:
        Image.fromarray(pixels).save(unfinished)


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write a picture, uint8 `[H, W]` or `[H, W, 3]`, as a PNG in a fraction of the time, whole or not at all."""
    with written_whole(path, durable=False) as unfinished:
        unfinished.write_bytes(png.quick(pixels))


def write_array(path: Path, values: np.ndarray) -> None:
    """Write a `.npy` file, whole or not at all."""
    with written_whole(path, durable=False) as unfinished:
        np.save(unfinished, values)


def copy(source: Path, path: Path) -> None:
    """Copy a file, whole or not at all."""
    with written_whole(path) as unfinished:
        shutil.copy(source, unfinished)


def damage(path: Path) -> str | None:
    """Return why a `.keras` file is not what was written; None where it is, or is not there."""
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        return str(error) or type(error).__name__
    return f"its '{broken}' does not fit its checksum" if broken else None
