"""Whether graphs are made for other runtimes, of operations that each of them has."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PLAIN: ContextVar[bool | None] = ContextVar("plain", default=None)  # whether sparing; None where not plain at all


@contextmanager
def plainly(sparing: bool = False) -> Iterator[None]:
    """Make graphs that are traced within of operations that every runtime has.

    Pictures and maps are then resized by gathering rows and columns, in TensorFlow's own arithmetic, instead of by its
    kernels: other runtimes have no `ScaleAndTranslate`, or resize no uint8, or round otherwise. A class map is made at
    once instead of in bands, in a loop.

    Args:
        sparing: whether a class map is made class by class: a fifth of the memory, where the runtime frees what it no
            longer needs.

    Example:
        >>> from visionmtl import images
        >>> with images.plainly():
        ...     fitted, window = images.fit(tf.zeros((1, 5, 7, 3), tf.uint8), (4, 4), "letterbox")
        >>> fitted.shape
        TensorShape([1, 4, 4, 3])
    """
    before = PLAIN.set(sparing)
    try:
        yield
    finally:
        PLAIN.reset(before)
