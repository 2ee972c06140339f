"""Picture files opened by Pillow: HEIC too where its plug-in is installed, and beyond Pillow's limit on pixels."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from pipelines.pixels import contents


def opened(file: BinaryIO, limited: bool = True) -> Image.Image:
    """Open a picture by its content; nothing but its header is read.

    Args:
        file: open in binary, and to stay so as long as the picture is used.
        limited: whether Pillow's limit on pixels holds.

    Raises:
        UnidentifiedImageError: it is none that Pillow reads.
        Image.DecompressionBombError: it has more pixels than Pillow allows.
    """
    with nullcontext() if limited else _beyond_the_limit():  # Pillow warns well below its limit, too
        try:
            return Image.open(file)
        except UnidentifiedImageError:
            if not contents.is_heif(file) or not _with_heif():
                raise
            file.seek(0)
            return Image.open(file)


@functools.cache
def _with_heif() -> bool:
    """Register the plug-in for HEIC, when the first such file is met; return whether it is installed."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


class _Limit:
    """Pillow's limit, a global of its own, while some threads open pictures for which it does not hold."""

    lock = threading.Lock()
    users = 0
    kept: int | None = None


def limit() -> int | None:
    """Return Pillow's limit on pixels, be it lifted at this moment by another thread or not."""
    with _Limit.lock:
        return _Limit.kept if _Limit.users else Image.MAX_IMAGE_PIXELS


@contextmanager
def _beyond_the_limit() -> Iterator[None]:
    with _Limit.lock:
        if not _Limit.users:
            _Limit.kept, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        _Limit.users += 1
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.users -= 1
            if not _Limit.users:
                Image.MAX_IMAGE_PIXELS = _Limit.kept
