"""The header of an ordinary JPEG file, read in a quarter of Pillow's time: with a hundred thousand files it counts.

Whatever is not ordinary (four channels, twelve bits, several pictures, EXIF that is not as it should be) is left to
Pillow, and so is every fault: nothing is refused here.
"""

import os
from typing import Literal, NamedTuple

FIRST = 4096  # bytes read at first, which mostly hold all that is looked for
FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended and progressive; a frame's header has the size
TABLES = frozenset({0xDB, 0xC4, 0xDD, 0xFE, *range(0xE0, 0xF0)}) - {0xE1, 0xE2}  # that say nothing of the size
ORIENTATION = 0x0112
MOST_PIXELS = 1 << 26  # far below any limit


class Jpeg(NamedTuple):
    """Height and width in pixels as stored, orientation by EXIF (1 to 8), and the number of channels, 1 or 3."""

    height: int
    width: int
    orientation: int
    bands: int


def jpeg(path: str) -> Jpeg | None:
    """Return what the header of an ordinary JPEG file says; None for any other file."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))  # no pipe waits
    except OSError:
        return None
    try:
        return _jpeg(file)
    except (OSError, IndexError):
        return None
    finally:
        os.close(file)


def _jpeg(file: int) -> Jpeg | None:
    start, head = 0, os.read(file, FIRST)  # `head` is what stands from `start` on
    if head[:2] != b"\xff\xd8":
        return None
    place, orientation = 2, None
    while True:
        if place - start + 20 > len(head):
            os.lseek(file, place, os.SEEK_SET)
            start, head = place, os.read(file, FIRST)
        at = place - start
        if head[at] != 0xFF:
            return None
        kind, length = head[at + 1], head[at + 2] << 8 | head[at + 3]
        if kind in FRAMES:
            height, width = head[at + 5] << 8 | head[at + 6], head[at + 7] << 8 | head[at + 8]
            bands = head[at + 9]
            if head[at + 4] != 8 or bands not in (1, 3) or not 0 < height * width <= MOST_PIXELS:
                return None
            return Jpeg(height, width, orientation or 1, bands)
        if kind == 0xE1:
            segment = head[at + 4 : at + 2 + length]
            if orientation is not None or segment[:6] != b"Exif\0\0":
                return None  # XMP may have an orientation too
            orientation = _orientation(segment[6:])
            if orientation is None:
                return None
        elif kind == 0xE2:
            if head[at + 4 : at + 8] != b"ICC_":
                return None  # several pictures in one file
        elif kind not in TABLES:
            return None
        place += 2 + length


def _orientation(exif: bytes) -> int | None:
    """Return the orientation of a TIFF directory, 1 where it has none; None where it is not as it should be."""
    if exif[:4] not in (b"II*\0", b"MM\0*"):
        return None
    order: Literal["little", "big"] = "little" if exif[:2] == b"II" else "big"

    def number(place: int, size: int) -> int:
        if place + size > len(exif):
            raise IndexError
        return int.from_bytes(exif[place : place + size], order)

    first = number(4, 4)
    for entry in range(first + 2, first + 2 + 12 * number(first, 2), 12):
        if number(entry, 2) == ORIENTATION:
            if number(entry + 2, 2) != 3 or number(entry + 4, 4) != 1:
                return None
            value = number(entry + 8, 2)
            return value if 1 <= value <= 8 else None
    return 1
