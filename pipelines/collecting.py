"""Python's search for cycles, kept away from where millions of objects are made."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Let nobody search for cycles meanwhile.

    An index of a million annotations has none, and half the time of reading it would go into looking at all of it again
    and again.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
