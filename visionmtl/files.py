"""One writer of whole files."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from visionmtl.errors import UsageError


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a name to write to that becomes `path` in the end: a crash or a full disk never leaves half a file.

    Raises:
        UsageError: the file cannot be written.
    """
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise UsageError(
            f"Cannot write '{path}': {error.strerror or error}. Free some space or choose another folder."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
