"""What the header of a picture file says, read without its pixels."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from PIL import Image, UnidentifiedImageError

from pipelines.errors import DataError
from pipelines.pixels import contents, ends, levels, quick
from pipelines.pixels.opening import limit, opened

ORIENTATION = 0x0112  # EXIF tag; 1 is upright, 5 to 8 swap height and width
FAST = ("JPEG", "MPO", "PNG")
FAST_VALUES = (1 << 29) - 1  # pixels by channels that TensorFlow decodes
SIZE = (256, 257)  # tags of TIFF: width and height as stored, where Pillow's own are upright
RAISED = "the option max_pixels of its source raises the limit"
Trait = Literal["frames", "alpha", "deep", "exif"]
NONE: frozenset[Trait] = frozenset()


@dataclass(frozen=True)
class Header:
    """What the header of a picture says.

    Attributes:
        height: in pixels as stored; so is `width`.
        orientation: by EXIF, 1 to 8.
        fast: TensorFlow decodes it as an image.
        jpeg: it can be decoded smaller.
        bands: number of channels.
        plain_grey: 8-bit grey PNG, whose values TensorFlow leaves as they are.
        format: as Pillow calls it.
        traits: what is left out or scaled as it is decoded: further "frames" or pages, an "alpha" channel, all but the
            upper 8 bits of a "deep" one; "exif" that cannot be read.
    """

    height: int
    width: int
    orientation: int
    fast: bool
    jpeg: bool
    bands: int
    plain_grey: bool
    format: str = ""
    traits: frozenset[Trait] = NONE

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width of the picture as displayed."""
        return (self.width, self.height) if self.orientation >= 5 else (self.height, self.width)


def inspect(path: Path, marker: bool = False, max_pixels: int | None = None) -> Header:
    """Read the header of a picture.

    Args:
        path: a file.
        marker: whether to look for the end marker of a JPEG, PNG or WebP too, which a truncated file lacks.
        max_pixels: that it may have; None for as many as Pillow allows.

    Raises:
        DataError: the file is missing, empty, truncated or no picture, has a name that is no UTF-8, or too many pixels.
    """
    try:
        if not (name := os.fspath(path)).isascii():
            name.encode()
        if not marker and _limit(max_pixels) >= quick.MOST_PIXELS and (known := quick.jpeg(name)):
            return Header(known.height, known.width, known.orientation, True, True, known.bands, False, "JPEG")
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"'{path}' is no file.")  # to open a pipe would wait for ever
        with open(path, "rb") as file:  # once: to open a file takes longer than to read what is needed
            if marker and not ends.is_whole(file, status.st_size):
                raise DataError(f"File '{path}' is truncated: its end marker is missing.")
            file.seek(0)
            return of(file, max_pixels)
    except DataError:
        raise
    except FileNotFoundError:
        link = f" is a link to '{os.readlink(path)}', which" if path.is_symlink() else ""
        raise DataError(f"File '{path}'{link} is missing.") from None
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise DataError(f"File '{shown}' has a name that is no UTF-8: rename it.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(
            f"File '{path}' has more than {_limit(max_pixels):,} pixels, the limit: it may be meant to fill memory; "
            f"{RAISED}."
        ) from None
    except Exception as error:  # a damaged header makes Pillow fail in any way
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"File '{path}' cannot be read as a picture: {reason}.") from None


def of(file: BinaryIO, max_pixels: int | None = None) -> Header:
    """Read the header of a picture in an open file, which stands at its start.

    Raises:
        Image.DecompressionBombError: it has too many pixels.
        ValueError: it is none that is read; the message is the end of a sentence that says why.
        Exception: of any kind, where its header is damaged.
    """
    try:
        with opened(file, limited=max_pixels is None) as picture:
            if picture.width * picture.height > _limit(max_pixels):
                raise Image.DecompressionBombError
            return _header(picture)
    except UnidentifiedImageError:
        raise ValueError(contents.reason(file)) from None


def _header(picture: Image.Image) -> Header:
    kind, raw = picture.format or "", levels.raw_mode(picture)
    turned, traits, (width, height) = orientation(picture), NONE, picture.size
    fast = kind in FAST and 3 * width * height <= FAST_VALUES and not levels.is_wide(picture)
    if kind not in FAST[:2]:
        traits = _traits(picture, raw)
    elif picture.mode == "CMYK" and "adobe" not in picture.info:
        fast = False
    if kind == "TIFF":
        levels.check_planes(picture)
        width, height = (picture.tag_v2[tag] for tag in SIZE)  # type: ignore[attr-defined]
    if turned is None:
        turned, traits = 1, traits | {"exif"}
    return Header(
        height=height,
        width=width,
        orientation=turned,
        fast=fast,
        jpeg=kind in FAST[:2],
        bands=len(picture.getbands()),
        plain_grey=kind == "PNG" and raw == "L" and width * height <= FAST_VALUES,
        format=kind,
        traits=traits,
    )


def orientation(picture: Image.Image) -> int | None:
    """Return the orientation of a picture by EXIF, 1 to 8; None if that cannot be read."""
    try:
        # A PNG's own getexif() would decode the picture.
        found = Image.Image.getexif(picture).get(ORIENTATION, 1)
    except Exception:  # of all kinds, by where it is damaged
        return None
    return found if found in range(1, 9) else 1


def _traits(picture: Image.Image, raw: str) -> frozenset[Trait]:
    found: list[Trait] = []
    if getattr(picture, "is_animated", False):
        found.append("frames")
    if picture.mode[-1] in "Aa" or "transparency" in picture.info:
        found.append("alpha")
    if levels.is_wide(picture) or ";16" in raw:
        found.append("deep")
    return frozenset(found) if found else NONE


def _limit(max_pixels: int | None) -> float:
    """Return how many pixels a picture may have; Pillow refuses what has twice its own limit."""
    if max_pixels is not None:
        return max_pixels
    return 2 * most if (most := limit()) else float("inf")
