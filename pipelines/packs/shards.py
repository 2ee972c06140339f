"""The shards of a pack: which samples go into which, written whole or not at all, and checked before they are read."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError
from pipelines.files import written_whole

FRAME = 16  # bytes around a record: its length (8), the length's checksum (4), and after it its own (4)
ANEW = "copy the pack anew, or delete it and pack again"  # what to do about one that is not whole
GOES_ON = "Once that is mended, the same command goes on from the shards that are whole."


@dataclass(frozen=True)
class Shard:
    """A file of records; `checksum` is its BLAKE2b, as `b2sum` prints it."""

    file: str
    samples: int
    bytes: int
    checksum: str


def divide(sizes: np.ndarray, target: int) -> list[tuple[int, int]]:
    """Cut samples into runs of about as many bytes each, at most about `target`; returns first and past last of each.

    Args:
        sizes: bytes of each sample, as far as they are known.
        target: bytes.
    """
    ends = np.cumsum(sizes, dtype=np.float64)
    count = min(len(sizes), max(1, ceil(ends[-1] / target)))
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, count) / count) + 1
    return list(pairwise(np.unique([0, *cuts, len(sizes)]).tolist()))


def name(split: str, number: int, count: int) -> str:
    """Return the name of a shard, as TFDS and others name them."""
    return f"{split}-{number:05d}-of-{count:05d}.tfrecord"


def write(path: Path, records: Iterable[bytes]) -> str:
    """Write a shard under another name, and give it its own once it is whole and on the disk.

    Returns:
        Its checksum.

    Raises:
        DataError: it cannot be written.
    """
    with written_whole(path, advice=GOES_ON) as partial:
        writer = None
        for record in records:
            writer = writer or tf.io.TFRecordWriter(str(partial))  # not before: to make the first record may fail
            writer.write(record)
        if writer:
            writer.close()
        else:
            partial.touch()  # all its samples were left out
        return checksum(partial)


def checksum(path: Path) -> str:
    """Return the BLAKE2b of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def is_whole(root: Path, shard: Shard) -> bool:
    """Whether a shard is there as it was written."""
    path = root / shard.file
    return path.is_file() and path.stat().st_size == shard.bytes and checksum(path) == shard.checksum


def verify(root: Path, shards: Sequence[Shard], full: bool) -> None:
    """Check that shards are as they were written.

    Args:
        root: where they are.
        shards: those to check.
        full: whether to read them and compare their checksums, and not their sizes alone.

    Raises:
        DataError: one is missing, or not as it was written.
    """
    for shard in shards:
        path = root / shard.file
        if not path.is_file():
            raise DataError(f"Shard '{path}' is missing: {ANEW}.")
        size = path.stat().st_size
        if size != shard.bytes:
            what = "truncated" if size < shard.bytes else "longer than it was"
            raise DataError(f"Shard '{path}' is {what}, {size:,} bytes instead of {shard.bytes:,}: {ANEW}.")
    if full:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for shard, found in zip(shards, pool.map(lambda s: checksum(root / s.file), shards), strict=True):
                if found != shard.checksum:
                    raise DataError(
                        f"Shard '{root / shard.file}' is damaged: its checksum is not that of pack.json; {ANEW}."
                    )


def fetch(path: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """Read one record of a shard and check its own checksum, in graph and without Python.

    Args:
        path: scalar string.
        start: scalar int64, where its frame begins.

    Returns:
        scalar string.
    """
    kinds = {"output_types": [tf.string], "output_shapes": [[]]}
    records = tf.raw_ops.TFRecordDatasetV2(
        filenames=path[None], compression_type="", buffer_size=tf.constant(0, tf.int64), byte_offsets=start[None]
    )
    first = tf.raw_ops.TakeDataset(input_dataset=records, count=1, **kinds)
    return tf.raw_ops.DatasetToSingleElement(dataset=first, **kinds)[0]
