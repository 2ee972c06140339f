"""Picture files: decoding in graph, and Pillow for the few that need it; `headers` says which.

TensorFlow's decoder is the fast way, and gives what Pillow gives: bit for bit of PNGs and of most JPEGs (alpha is
dropped, of 16 bits the upper 8 are kept). Pillow takes the rest: other formats, images to be turned by their EXIF
orientation, those that `levels` must scale, CMYK JPEGs without Adobe's marker, which TensorFlow makes black, and masks
whose values TensorFlow would rescale or colour.
"""

import functools
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tensorflow as tf
from PIL import Image

from pipelines.errors import DataError
from pipelines.pixels import contents, levels, masks
from pipelines.pixels.headers import inspect as inspect
from pipelines.pixels.headers import orientation
from pipelines.pixels.opening import opened
from pipelines.pixels.rules import Levels

TURNS = {  # what makes a picture of each orientation upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
BACK = TURNS | {6: TURNS[8], 8: TURNS[6]}
RATIOS = (1, 2, 4, 8)  # of a JPEG's size to that at which it can be decoded, at less cost and without aliases


def decode(
    path: tf.Tensor,
    slow: tf.Tensor,
    turn: tf.Tensor,
    ratio: tf.Tensor | None = None,
    scale: Levels | None = None,
) -> tf.Tensor:
    """Read an image file, in graph.

    Args:
        path: scalar string.
        slow: scalar bool, whether Pillow must read it.
        turn: scalar bool, whether Pillow then turns it upright.
        ratio: scalar int32, one of `RATIOS` by which a JPEG file is decoded smaller; None for no file.
        scale: the values that are black and white, of what `slow` reads; `levels` says of which pictures.

    Returns:
        uint8 `[h, w, 3]`.
    """

    def fast() -> tf.Tensor:
        encoded = tf.io.read_file(path)
        if ratio is None:
            return from_bytes(encoded)
        choices = [functools.partial(from_bytes, encoded, ratio=each) for each in RATIOS]
        return tf.switch_case(tf.searchsorted(RATIOS, ratio[None])[0], choices)

    slowly = functools.partial(_image, scale=scale)
    image = _either(slow, lambda: tf.numpy_function(slowly, [path, turn], tf.uint8), fast)
    return tf.ensure_shape(image, [None, None, 3])


def from_bytes(encoded: tf.Tensor, ratio: int = 1) -> tf.Tensor:
    """Decode a JPEG or PNG that is `fast`, in graph, as Pillow would: uint8 `[h, w, 3]`.

    TensorFlow's own choice for JPEGs is off by two levels on average, at no less cost.
    """
    return tf.io.decode_jpeg(encoded, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")


def ratio(shape: tuple[int, int], size: tuple[int, int], zoom: float) -> int:
    """Return by how much a JPEG of this height and width may be decoded smaller, and still is as large as is needed.

    Args:
        shape: height and width of the picture in pixels.
        size: of the image that it fills, or lies in.
        zoom: the largest zoom of the picture in it.
    """
    room = min(shape[0] / size[0], shape[1] / size[1]) / zoom
    return max((ratio for ratio in RATIOS if ratio <= room), default=1)


def decode_mask(path: tf.Tensor, slow: tf.Tensor, strict: bool = True) -> tf.Tensor:
    """Read a mask file, in graph; returns its values, uint8 `[h, w, 1]`.

    Args:
        path: scalar string.
        slow: scalar bool, whether Pillow must read it.
        strict: whether values that 8 bits do not hold are an error; else they are ignored, which is 255.
    """
    slowly = functools.partial(_mask, strict=strict)
    mask = _either(
        slow,
        lambda: tf.numpy_function(slowly, [path], tf.uint8),
        lambda: tf.io.decode_png(tf.io.read_file(path), channels=1),
    )
    return tf.ensure_shape(mask, [None, None, 1])


def some(flags: Sequence[bool]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the function from an index to its flag, in graph; where none is set, one that is known to be false."""
    if not any(flags):
        return lambda index: tf.constant(False)
    known = tf.constant(flags)
    return lambda index: tf.gather(known, index)


def _either(slow: tf.Tensor, slowly: Callable[[], tf.Tensor], fast: Callable[[], tf.Tensor]) -> tf.Tensor:
    """Read a file one way or the other; of files none of which is slow there is no Python in the graph."""
    known = tf.get_static_value(slow)
    return tf.cond(slow, slowly, fast) if known is None or known else fast()


def fault(path: Path, slow: bool, mask: bool = False, scale: Levels | None = None) -> str | None:
    """Say why a file whose header is right cannot be decoded; None if it can be.

    Args:
        path: the file.
        slow: whether Pillow reads it.
        mask: whether it is a mask.
        scale: as of `decode`.

    Returns:
        A sentence.
    """
    what, name = "Mask" if mask else "Image", tf.constant(str(path))
    try:
        if slow:
            _mask(str(path), strict=False) if mask else _image(str(path), turn=False, scale=scale)
        else:
            decode_mask(name, tf.constant(slow)) if mask else decode(name, tf.constant(slow), tf.constant(False))
    except DataError as error:
        return str(error)
    except Exception:  # damaged content makes decoders fail in any way
        with open(path, "rb") as file:
            unusual = contents.jpeg(file) if file.read(2) == b"\xff\xd8" else None
        return f"{what} '{path}' cannot be read: {unusual}." if unusual else f"{what} '{path}' is truncated or damaged."
    return None


def mask_values(path: Path) -> np.ndarray:
    """Read the values of a mask file: `[h, w]` of palette places or grey levels at the file's own depth.

    Raises:
        DataError: they are no whole numbers.
    """
    with open(path, "rb") as file, opened(file, limited=False) as picture:
        return masks.values(picture, str(path))


def _image(path: str | bytes | np.ndarray, turn: bool, scale: Levels | None) -> np.ndarray:
    name = _text(path)
    with open(name, "rb") as file:
        return by_pillow(file, name, turn, scale)


def by_pillow(file: BinaryIO, name: str, turn: bool, scale: Levels | None = None) -> np.ndarray:
    """Decode an open file by Pillow: uint8 `[h, w, 3]`.

    Args:
        file: that stands at its start.
        name: of it, for errors.
        turn: whether it is turned upright.
        scale: as of `decode`.

    Raises:
        DataError: nothing says what is white in it.
        Exception: of any kind, where its content is damaged.
    """
    with opened(file, limited=False) as picture:
        stored = orientation(picture) or 1
        pixels = levels.rgb(picture, name, scale)
        upright = picture.format == "TIFF" and stored not in (1, orientation(picture))  # Pillow turns those
    if turn != upright and stored != 1:
        return np.asarray(Image.fromarray(pixels).transpose((TURNS if turn else BACK)[stored]))
    return pixels


def _mask(path: str | bytes | np.ndarray, strict: bool) -> np.ndarray:
    values = mask_values(Path(name := _text(path)))
    outside = (values < 0) | (values > 255)
    if strict and outside.any():
        raise DataError(f"Mask '{name}' has the value {values[outside][0]}: expected 0 to 255.")
    return np.where(outside, 255, values).astype(np.uint8)[..., None]


def _text(path: str | bytes | np.ndarray) -> str:
    """What `tf.numpy_function` makes of a string: bytes in a graph, an array of them outside."""
    return os.fsdecode(np.asarray(path, object).item())


def png(pixels: np.ndarray, level: int = 6) -> bytes:
    """Return uint8 `[h, w, 3]`, or `[h, w]`, as a PNG file; a `level` of 1 is the fastest to write, 9 the smallest."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=level)
    return file.getvalue()
