"""Mask files: which may be masks, and the class ids in them at the file's own depth."""

from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.errors import DataError
from pipelines.pixels import levels
from pipelines.pixels.headers import Header

LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "HEIF")
REMEDY = "save it as a PNG of one channel of class ids"


def check(path: Path, header: Header) -> None:
    """Refuse a file that cannot be a mask, by its header.

    Raises:
        DataError: its format changes values, or it has an EXIF orientation.
    """
    if header.format in LOSSY:
        raise DataError(f"Mask '{path}' is a {header.format} file, a format that changes values: {REMEDY}.")
    if header.orientation != 1:
        raise DataError(
            f"Mask '{path}' has the EXIF orientation {header.orientation}, which leaves open how its values lie: save "
            "it without."
        )


def channels(path: Path, bands: int) -> str:
    """Return the sentence that refuses a mask of several channels."""
    return (
        f"Mask '{path}' has {bands} channels: expected one, of class ids; where colours stand for classes, say which "
        "by mask_colours={name: [red, green, blue]}, or a palette beside the masks."
    )


def values(picture: Image.Image, name: str) -> np.ndarray:
    """Return the class ids of a mask: uint8, uint16 or int32 `[h, w]` of palette places or grey levels as in the file.

    Args:
        picture: of one channel.
        name: of its file, for errors.

    Raises:
        DataError: they are no whole numbers, or the file turns them round.
    """
    raw, arguments = levels.raw_mode(picture), levels.arguments(picture)
    if picture.mode == "L" and raw[:1] == "L" and "I" in raw:
        raise DataError(f"Mask '{name}' is a TIFF whose white is 0, which turns values round: {REMEDY}.")
    found = levels.numbers(picture)
    if found.dtype.kind == "f":
        if not np.isfinite(found).all() or (found != np.rint(found)).any():
            raise DataError(f"Mask '{name}' has values that are no whole numbers: expected class ids.")
        found = np.clip(found, -(2**31), 2**31 - 1)
    step, whole = {"L;2": 85, "L;4": 17}.get(raw.removesuffix("R"), 1), found
    if found.dtype not in (np.uint8, np.uint16):
        whole = np.clip(found.astype(np.int64), -(2**31), 2**31 - 1).astype(np.int32)
    if picture.format == "PPM" and len(arguments) == 2:
        return _unspread(whole, arguments[-1], 65535 if picture.mode == "I" else 255)
    return whole // step if step > 1 else whole  # Pillow spreads 2 and 4 bits over 0..255


def _unspread(spread: np.ndarray, highest: int, white: int) -> np.ndarray:
    """Undo that Pillow spreads the values of a portable grey map over 0..white, where the highest is another."""
    if not 0 < highest < white:
        return spread
    return np.rint(spread * (highest / white)).astype(np.int32)
