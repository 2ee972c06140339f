"""Pictures inside a page: read, made small enough, and written into it as data."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

WIDTHS = (1600, 1200, 900, 640)  # pixels; the first at which all pictures fit
SMALL = (640, 480, 360)  # the same of pictures of which there are many
QUALITY = 82
CLOSE = 1.3  # how far from the true size that of smaller pictures may be guessed from that of larger ones


class Embedded(NamedTuple):
    """A picture of a page.

    Attributes:
        name: of its file, without the ending.
        source: a data URI.
        width: pixels.
        height: pixels.
    """

    name: str
    source: str
    width: int
    height: int


def embedded(paths: Sequence[Path], room: int, widths: Sequence[int] = WIDTHS) -> tuple[list[Embedded], list[Path]]:
    """Return pictures as WebP, smaller where they would take more than `room` characters, and the files left out.

    Args:
        paths: pictures, the most important ones first: the last are left out where even small ones do not fit.
        room: characters for all of them.
        widths: pixels to try, the largest first.
    """
    pictures: list[tuple[Path, Embedded | None]] = []
    guess = 0.0
    for width in widths:
        if guess > CLOSE * room and width != widths[-1]:
            guess *= (widths[widths.index(width) + 1] / width) ** 2
            continue
        pictures = [(path, _one(path, width)) for path in paths]
        size = sum(len(picture.source) for _, picture in pictures if picture)
        if size <= room or width == widths[-1]:
            break
        guess = size * (widths[widths.index(width) + 1] / width) ** 2
    shown, left = [], []
    for path, picture in pictures:
        if picture is None or len(picture.source) > room:
            left.append(path)
        else:
            shown.append(picture)
            room -= len(picture.source)
    return shown, left


def _one(path: Path, width: int) -> Embedded | None:
    """Return a picture of at most so many pixels across; None where it cannot be read."""
    try:
        with Image.open(path) as file:
            picture = file.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    picture.thumbnail((width, 8 * width))
    content = io.BytesIO()
    picture.save(content, "WEBP", quality=QUALITY)
    data = base64.b64encode(content.getvalue()).decode()
    return Embedded(path.stem, f"data:image/webp;base64,{data}", *picture.size)
