"""The folder of predictions: begun, gone on with or begun anew, by one process at a time, or a shard of it by each."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipelines.accounts.rules import PREDICTED, of_a_run
from pipelines.files import removed
from visionmtl.errors import UsageError
from visionmtl.files import told
from visionmtl.prediction import formats, settings
from visionmtl.prediction.finishing import RECORDS
from visionmtl.prediction.journal import Journal

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

FOLDERS = ("overlays", "masks", "depth", "pictures", "videos", "frames")
FILES = ("predictions*.json*", "detections*.json", settings.LABELS, settings.SETTINGS)


@dataclass(frozen=True, order=True)
class Shard:
    """One of several parts of the pictures, `number` of `count`, from 1."""

    number: int
    count: int

    @property
    def records(self) -> str:
        """The name of the file of its records."""
        return f"predictions-{self.number}-of-{self.count}.jsonl"

    @classmethod
    def parsed(cls, text: str) -> "Shard":
        """Return what "2/4" says.

        Raises:
            UsageError: it says no such thing.
        """
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
            raise UsageError(f"--shard is '{text}': expected a part and how many there are, as 1/4.")
        return cls(int(number), int(count))


class Asked(Protocol):
    """Of the options of a prediction those that say what becomes of the folder."""

    @property
    def resume(self) -> bool: ...
    @property
    def replace(self) -> bool: ...
    @property
    def shard(self) -> Shard | None: ...


def of_shard(count: int, shard: Shard | None) -> Sequence[int]:
    """Return the places of the pictures of a shard: every n-th, so that all shards have as much to do."""
    return range(count) if shard is None else range(shard.number - 1, count, shard.count)


@contextlib.contextmanager
def held(out: Path, made: Mapping[str, Any], labels: Mapping[str, Any], asked: Asked) -> Iterator[Journal]:
    """Give the journal of a folder of predictions, which no other process writes to meanwhile.

    Args:
        out: the folder.
        made: what is predicted with.
        labels: what `labels.json` is to say.
        asked: whether to go on or to begin anew.

    Raises:
        UsageError: it holds predictions, and nothing says what to do with them, or they are others.
    """
    if asked.resume and asked.replace:
        raise UsageError("--resume goes on with predictions and --replace begins them anew: give one of both.")
    path = out / (asked.shard.records if asked.shard else RECORDS)
    if asked.replace and asked.shard is None and is_written(out):
        clear(out)
    before = settings.read(out)
    if before is None and is_written(out):
        raise UsageError(
            f"'{out}' holds predictions of version 0.1.0: name another folder by --out, or give --replace."
        )
    if before is None:
        _begin(out, made, labels)
    elif asked.replace:
        raise UsageError(
            "A shard is not begun anew alone, as others may be at work: remove the folder, or use another."
        )
    else:
        if not asked.resume and path.exists():
            raise UsageError(
                f"'{out}' holds predictions already: go on with them by --resume, begin anew by --replace, or name "
                "another folder by --out."
            )
        settings.refuse_others(out, before, made)
    with _locked(path):
        yield Journal(path)


def is_written(folder: Path) -> bool:
    """Whether a folder is one of predictions."""
    return folder.is_dir() and of_a_run("", {path.name for path in folder.iterdir()}) == PREDICTED


def _begin(out: Path, made: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
    try:
        settings.begin(out, made, labels)
    except UsageError:  # another shard begins it at this moment
        before = settings.read(out)
        if before is None:
            raise
        settings.refuse_others(out, before, made)


def clear(out: Path) -> None:
    """Remove what predictions left in a folder, and nothing else."""
    for name in (*FOLDERS, *formats.names()):
        if (out / name).is_dir():
            removed(out / name)
    for pattern in FILES:
        for path in out.glob(pattern):
            removed(path)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes from writing to a file of records.

    Raises:
        UsageError: one does.
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"'{path}' is being written by another process: let it end, or stop it.") from None
            except OSError:  # a disk that has no locks
                pass
        yield
    finally:
        os.close(handle)
