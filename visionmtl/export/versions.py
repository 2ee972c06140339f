"""A version of an export: written to a temporary folder, and given the next free number once it is whole."""

import errno
from collections.abc import Callable
from pathlib import Path

from visionmtl.files import written_folder


def write(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Return `folder/<version>/`, filled: a reader never sees half of it, and a failure leaves nothing there.

    Args:
        folder: the folder of all versions.
        fill: writes what is in one into an empty folder.

    Raises:
        UsageError: the folder cannot be written, for example because the disk is full.
    """
    with written_folder(folder) as (partial, name):
        fill(partial)
        while True:
            version = folder / str(_next(folder))
            try:
                name(version)
                return version
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # else another export took it meanwhile
                    raise


def _next(folder: Path) -> int:
    """Return the version after the last one in a folder."""
    return max((int(path.name) for path in folder.iterdir() if path.name.isdecimal()), default=0) + 1
