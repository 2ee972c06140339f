"""The file of a checkpoint: what it is about, arrays by name, and a checksum over every byte before it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from visionmtl.files import written_whole

MAGIC = b"visionmtl checkpoint 1\n"
LENGTH, DIGEST = 8, hashlib.sha256().digest_size  # bytes


class DamagedError(Exception):
    """A file that is no whole checkpoint; the message says why, in a few words."""


def write(path: Path, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write a checkpoint, whole and on the disk, or not at all.

    Args:
        path: the file.
        about: what JSON can say.
        arrays: of numbers, by name.

    Raises:
        UsageError: it cannot be written.
    """
    with written_whole(path) as partial, partial.open("wb") as file:
        digest = hashlib.sha256()
        for piece in _pieces(about, arrays):
            digest.update(piece)
            file.write(piece)
        file.write(digest.digest())


def _pieces(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Iterator[Any]:
    table = [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()]
    header = json.dumps({"about": about, "arrays": table}, default=float).encode()
    yield MAGIC + len(header).to_bytes(LENGTH, "little") + header
    for array in arrays.values():
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what a checkpoint is about, and its arrays by name.

    Raises:
        DamagedError: it is not what was written.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DamagedError(f"it cannot be read: {error.strerror}") from None
    if not content:
        raise DamagedError("it is empty")
    body = memoryview(content)[:-DIGEST]
    if hashlib.sha256(body).digest() != content[-DIGEST:]:
        raise DamagedError("its checksum does not fit: it was cut, or changed since it was written")
    if body[: len(MAGIC)] != MAGIC:
        raise DamagedError("it is of another format, perhaps of a later version")
    start = len(MAGIC) + LENGTH
    end = start + int.from_bytes(body[len(MAGIC) : start], "little")
    header, arrays = json.loads(bytes(body[start:end])), {}
    for name, dtype, shape in header["arrays"]:
        kind, count = np.dtype(dtype), int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(body, kind, count, end).reshape(shape)
        end += count * kind.itemsize
    return header["about"], arrays
