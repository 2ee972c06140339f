"""Files written by any number of processes: whole or not at all, though two of them write the same one at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from visionmtl.files import told
from visionmtl.prediction.beam.needed import FileSystems


def is_remote(path: str) -> bool:
    """Whether a path is a URL, as of an object store."""
    return "://" in path


def joined(root: str, name: str) -> str:
    """Return the path of what is called so, with slashes, beneath a root."""
    return FileSystems.join(root, *name.split("/"))


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """Give a file to write, which is there once all of it is.

    On a disk it has a name of its own until then, since of a worker that is taken for dead the work is done again
    elsewhere, and it may be alive. An object store shows what is written once that is closed.

    Raises:
        UsageError: it cannot be written, for example because the disk is full.
    """
    if is_remote(path):
        with FileSystems.create(path) as file:
            yield file
        return
    target = Path(path)
    partial = target.with_name(f".{uuid4().hex}.partial{target.suffix}")
    try:
        with told(target, partial):
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(partial, "wb") as file:
                yield file
            os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def write(path: str, content: bytes) -> None:
    """Write a file as `written` does."""
    with written(path) as file:
        file.write(content)


def read(path: str) -> bytes:
    """Return what is in a file.

    Raises:
        OSError: it cannot be read.
    """
    with FileSystems.open(path) as file:
        return file.read()
