"""One JSON file of labelme: what it is known by, and its fields, each checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import DataError
from pipelines.sources.files.json_files import read_json

SAMPLE = 2**16  # bytes at the beginning and the end of a file that are looked at to see what it is


@dataclass(frozen=True)
class Page:
    """What a file says of its image.

    Attributes:
        image: the path of the image, with "/" between folders, relative to the file as a rule; "" where there is none.
        size: height and width, or None.
        shapes: what was drawn, as it is written.
        flags: what was ticked of the whole image.
        embedded: whether the pixels of the image are in the file.
    """

    image: str
    size: tuple[int, int] | None
    shapes: list[Any] = field(repr=False)
    flags: Mapping[str, bool] = field(default_factory=dict)
    embedded: bool = False


def is_labelme(path: Path) -> bool:
    """Whether a file is JSON of labelme: it has "shapes", and "imagePath" or the "shape_type" of one."""
    try:
        with open(path, "rb") as file:
            sample = file.read(SAMPLE)
            file.seek(max(SAMPLE, path.stat().st_size - SAMPLE))
            sample += file.read()
            if _has_keys(sample):
                return True
            if b'"imageData"' not in sample and b'"shape_type"' not in sample:
                return False
            file.seek(0)  # old versions have the pixels, or long outlines, between them
            return _has_keys(file.read())
    except OSError:
        return False


def read_page(path: Path) -> Page:
    """Read a file.

    Raises:
        DataError: it is no JSON of labelme, or its size is none.
    """
    content = read_json(path, "shapes and imagePath")
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise DataError(f"'{path}' is no JSON of labelme: it needs a list 'shapes'.")
    image, flags = content.get("imagePath") or "", content.get("flags") or {}
    if not isinstance(image, str):
        raise DataError(f"'{path}': imagePath is {image!r}, expected the name of a file.")
    if not isinstance(flags, dict) or not all(isinstance(value, bool) for value in flags.values()):
        raise DataError(f"'{path}': flags are {flags!r}, expected names that are each true or false.")
    size = content.get("imageHeight"), content.get("imageWidth")
    if None not in size and not all(isinstance(side, int | float) and side >= 1 and side % 1 == 0 for side in size):
        raise DataError(
            f"'{path}': imageHeight is {size[0]!r} and imageWidth {size[1]!r}, expected whole numbers above 0."
        )
    known = None if None in size else (int(size[0] or 0), int(size[1] or 0))
    return Page(image.replace("\\", "/"), known, content["shapes"], flags, bool(content.get("imageData")))


def _has_keys(sample: bytes) -> bool:
    return b'"shapes"' in sample and (b'"imagePath"' in sample or b'"shape_type"' in sample)
