"""What a writer that was killed has left behind: unfinished folders, which the next writer there removes."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

PREFIX, INNER = ".partial-", "whole"


@contextlib.contextmanager
def folder(path: Path) -> Iterator[Path]:
    """Give a new folder `.partial-<n>/whole` beneath a path, which is deleted in the end, and those of dead writers.

    A writer locks its own for as long as it lives; where a disk locks no folders, what the dead left stays.

    Args:
        path: the folder beneath which it lies.
    """
    with contextlib.ExitStack() as stack:
        with _locked(path, wait=True):
            for left in path.glob(f"{PREFIX}*"):
                _remove_left(left)
            around = stack.enter_context(
                tempfile.TemporaryDirectory(prefix=PREFIX, dir=path, ignore_cleanup_errors=True)
            )
            stack.enter_context(_locked(Path(around)))
        partial = Path(around, INNER)  # which has the usual permissions, as what is temporary has not
        partial.mkdir()
        yield partial


def _remove_left(left: Path) -> None:
    """Remove a folder if it is a writer's of here, which lives no more."""
    with contextlib.suppress(OSError):
        if {entry.name for entry in left.iterdir()} <= {INNER}:
            with _locked(left) as locked:
                if locked:
                    shutil.rmtree(left)


@contextlib.contextmanager
def _locked(path: Path, wait: bool = False) -> Iterator[bool]:
    """Lock a folder, if it can be locked and nobody else has; give whether it is locked."""
    handle = os.open(path, os.O_RDONLY)
    try:
        locked = False
        if fcntl is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                locked = True
        yield locked
    finally:
        os.close(handle)
