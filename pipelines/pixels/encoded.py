"""Pictures whose files are in memory, as a server is sent them: looked at and decoded as those on a disk are."""

import contextlib
import io
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from PIL import Image

from pipelines.errors import DataError
from pipelines.pixels import contents, headers, levels, pictures
from pipelines.pixels.headers import Header

WHAT = "The picture"
INSTEAD = {  # of what only a source of labelled pictures takes, where there is none
    levels.REMEDY: "save it with 8 bits a channel",
    headers.RAISED: "make it smaller",
}


@contextlib.contextmanager
def without_options() -> Iterator[None]:
    """Have the sentence of a DataError raised within say what to do where pictures are read by no source."""
    try:
        yield
    except DataError as error:
        told = str(error)
        for option, remedy in INSTEAD.items():
            told = told.replace(option, remedy)
        raise DataError(told) from error.__cause__


def inspect(content: bytes, max_pixels: int) -> Header:
    """Read the header of a picture.

    Args:
        content: of its file.
        max_pixels: that it may have.

    Raises:
        DataError: it is no picture, is damaged, or has too many pixels.
    """
    try:
        return headers.of(io.BytesIO(content), max_pixels)
    except Image.DecompressionBombError:
        raise DataError(f"{WHAT} has more than {max_pixels:,} pixels, the limit: make it smaller.") from None
    except Exception as error:  # a damaged header makes Pillow fail in any way
        raise DataError(f"{WHAT} cannot be read: {error}.") from None


def decode(content: bytes, header: Header) -> np.ndarray:
    """Return a picture, upright, uint8 `[H, W, 3]`.

    Args:
        content: of its file.
        header: of `inspect`.

    Raises:
        DataError: it is truncated or damaged, or nothing says what is white in it.
    """
    turn = header.orientation != 1
    try:
        if header.fast and not turn:
            return pictures.from_bytes(tf.constant(content)).numpy()
        with without_options():
            return pictures.by_pillow(io.BytesIO(content), "", turn)
    except DataError as error:
        raise DataError(str(error).replace("Image ''", WHAT)) from None
    except Exception:  # damaged content makes decoders fail in any way
        unusual = contents.jpeg(io.BytesIO(content)) if content[:2] == b"\xff\xd8" else None
        raise DataError(
            f"{WHAT} cannot be read: {unusual}." if unusual else f"{WHAT} is truncated or damaged."
        ) from None
