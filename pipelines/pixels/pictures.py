"""Picture files: what their headers say, decoding in graph, and Pillow for the few that need it.

TensorFlow's decoder is the fast way, and right for grey and CMYK JPEGs and for 16-bit, palette and transparent PNGs
(the upper 8 bits are kept, alpha is dropped). Pillow takes the rest: other formats, images to be turned by their EXIF
orientation, and masks whose values TensorFlow would rescale or colour (palettes, fewer or more than 8 bits).
"""

import functools
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tensorflow as tf
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from pipelines.errors import DataError

ORIENTATION = 0x0112  # EXIF tag; 1 is upright, 5 to 8 swap height and width
FAST = ("JPEG", "MPO", "PNG")
RATIOS = (1, 2, 4, 8)  # of a JPEG's size to that at which it can be decoded, at less cost and without aliases


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
    """

    height: int
    width: int
    orientation: int
    fast: bool
    jpeg: bool
    bands: int
    plain_grey: bool

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width of the picture as displayed."""
        return (self.width, self.height) if self.orientation >= 5 else (self.height, self.width)


def inspect(path: Path, marker: bool = False) -> Header:
    """Read the header of a picture.

    Args:
        path: a file.
        marker: whether to look for the end marker of a JPEG or PNG too, which a truncated file lacks.

    Raises:
        DataError: the file is missing, empty, truncated or no picture, or has more pixels than Pillow allows.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"'{path}' is no file.")  # to open a pipe would wait for ever
        with open(path, "rb") as file:  # once: to open a file takes longer than to read what is needed
            if marker and not _has_end(file, status.st_size):
                raise DataError(f"File '{path}' is truncated: its end marker is missing.")
            file.seek(0)
            with Image.open(file) as picture:
                return _header(picture)
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"File '{path}' is missing.") from None
    except Image.DecompressionBombError:
        limit = f"{2 * (Image.MAX_IMAGE_PIXELS or 0):,}"
        raise DataError(
            f"File '{path}' has more than {limit} pixels, the limit: it may be meant to fill memory."
        ) from None
    except (OSError, SyntaxError, ValueError) as error:
        reason = "its content is that of no known format" if isinstance(error, UnidentifiedImageError) else error
        reason = "it is empty" if path.is_file() and path.stat().st_size == 0 else reason
        raise DataError(f"File '{path}' cannot be read as a picture: {reason}.") from None


def _header(picture: Image.Image) -> Header:
    # A PNG's own getexif() would decode the picture; the tile is gone after that.
    orientation = Image.Image.getexif(picture).get(ORIENTATION, 1)
    raw_mode = picture.tile[0][3] if isinstance(picture, ImageFile.ImageFile) and picture.tile else ""
    return Header(
        height=picture.height,
        width=picture.width,
        orientation=orientation if orientation in range(1, 9) else 1,
        fast=picture.format in FAST,
        jpeg=picture.format in FAST[:2],
        bands=len(picture.getbands()),
        plain_grey=picture.format == "PNG" and raw_mode == "L",
    )


def decode(path: tf.Tensor, slow: tf.Tensor, turn: tf.Tensor, ratio: tf.Tensor | None = None) -> tf.Tensor:
    """Read an image file, in graph.

    Args:
        path: scalar string.
        slow: scalar bool, whether Pillow must read it.
        turn: scalar bool, whether Pillow then turns it upright.
        ratio: scalar int32, one of `RATIOS` by which a JPEG file is decoded smaller; None for no file.

    Returns:
        uint8 `[h, w, 3]`.
    """

    def fast() -> tf.Tensor:
        encoded = tf.io.read_file(path)
        if ratio is None:
            return tf.io.decode_jpeg(encoded, channels=3)
        choices = [functools.partial(tf.io.decode_jpeg, encoded, channels=3, ratio=each) for each in RATIOS]
        return tf.switch_case(tf.searchsorted(RATIOS, ratio[None])[0], choices)

    image = tf.cond(slow, lambda: tf.numpy_function(_image, [path, turn], tf.uint8), fast)
    return tf.ensure_shape(image, [None, None, 3])


def ratio(shape: tuple[int, int], size: tuple[int, int], zoom: float) -> int:
    """Return by how much a JPEG of this height and width may be decoded smaller, and still is as large as is needed.

    Args:
        shape: height and width of the picture in pixels.
        size: of the image that it fills, or lies in.
        zoom: the largest zoom of the picture in it.
    """
    room = min(shape[0] / size[0], shape[1] / size[1]) / zoom
    return max((ratio for ratio in RATIOS if ratio <= room), default=1)


def decode_mask(path: tf.Tensor, slow: tf.Tensor) -> tf.Tensor:
    """Read a mask file, in graph; returns its values, uint8 `[h, w, 1]`."""
    mask = tf.cond(
        slow,
        lambda: tf.numpy_function(_mask, [path], tf.uint8),
        lambda: tf.io.decode_png(tf.io.read_file(path), channels=1),
    )
    return tf.ensure_shape(mask, [None, None, 1])


def is_broken(path: Path, slow: bool, mask: bool = False) -> bool:
    """Whether a file whose header is right cannot be decoded; `slow` is whether Pillow reads it."""
    name, by_pillow = tf.constant(str(path)), tf.constant(slow)
    try:
        decode_mask(name, by_pillow) if mask else decode(name, by_pillow, tf.constant(False))
    except (tf.errors.OpError, OSError, SyntaxError, ValueError):
        return True
    return False


def mask_values(path: Path) -> np.ndarray:
    """Read the values of a mask file: `[h, w]` of palette places or grey levels at the file's own depth."""
    with Image.open(path) as picture:
        depth = {"L;2": 2, "L;4": 4}.get(str(picture.tile[0][3]) if picture.tile else "", 8)
        values = np.asarray(picture).astype(np.int32)
        return values // (255 // (2**depth - 1))  # Pillow spreads 2 and 4 bits over 0..255


def _image(path: bytes | np.ndarray, turn: bool) -> np.ndarray:
    with Image.open(_text(path)) as picture:
        upright = ImageOps.exif_transpose(picture) if turn else picture
        if upright.mode.startswith("I"):  # 16 bits, which convert() would clip
            upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
        return np.asarray(upright.convert("RGB"))


def _mask(path: bytes | np.ndarray) -> np.ndarray:
    values = mask_values(Path(_text(path)))
    return np.where((values < 0) | (values > 255), 254, values).astype(np.uint8)[..., None]


def _text(path: bytes | np.ndarray) -> str:
    """What `tf.numpy_function` makes of a string: bytes in a graph, an array of them outside."""
    return os.fsdecode(np.asarray(path, object).item())


def _has_end(file: BinaryIO, size: int) -> bool:
    start = file.read(2)
    file.seek(max(size - 4096, 0))
    marker = {b"\xff\xd8": b"\xff\xd9", b"\x89P": b"IEND"}.get(start)
    return marker is None or marker in file.read()


def png(pixels: np.ndarray, level: int = 6) -> bytes:
    """Return uint8 `[h, w, 3]`, or `[h, w]`, as a PNG file; a `level` of 1 is the fastest to write, 9 the smallest."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=level)
    return file.getvalue()
