"""`pack`: a source rewritten as sharded TFRecord, every sample read once, to be read faster or elsewhere."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines import sources
from pipelines.accounts.account import Account
from pipelines.contract import Request
from pipelines.errors import ON_ERROR, DataError, Problems, noted, one_of
from pipelines.files import is_partial, refuse_within
from pipelines.packs import catalogue, shards
from pipelines.packs.catalogue import Pack
from pipelines.packs.journal import JOURNAL
from pipelines.packs.writing import Packed, Writing
from pipelines.splits import SPLITS, in_order


def pack(
    source: str,
    out: str | Path,
    path: str | Path | None = None,
    splits: Iterable[str] = SPLITS,
    tasks: Iterable[str] | None = None,
    *,
    shard_mb: float = 256,
    on_error: str = "stop",
    tell: Callable[[str], None] = lambda line: None,
    **options: Any,
) -> Packed:
    """Write the samples of a source to a folder that the source "packed" reads.

    Pictures keep the bytes of their JPEG or PNG file where those are read as the same pixels, and become PNG where not.
    Every shard is written under another name first, and `pack.json` comes last. A call that was interrupted is gone on
    with by the same call; where all is done already, nothing is.

    Args:
        source: one of `pipelines.names()`.
        out: the folder to write to.
        path: the folder (or CSV file), of a source that reads one.
        splits: which of "train", "validation" and "test".
        tasks: names of the tasks whose labels to keep; None for all.
        shard_mb: megabytes of a shard, about.
        on_error: "stop" raises at the first broken sample or box; "skip" leaves them out and lists them.
        tell: called with a line for each shard that is written.
        **options: of the source; `visionmtl list sources` has them.

    Returns:
        What is in the folder, and what was left out.

    Raises:
        DataError: the source cannot be read, or the folder not be written, or it holds something else.

    Example:
        >>> packed = pack("coco", "data/camvid-packed", path="data/camvid")
        >>> data = pipelines.load("packed", path="data/camvid-packed")
    """
    reader = sources.get(source, options)
    root, place = Path(out), None if path is None else Path(path)
    if source == "packed":
        raise DataError(f"'{path}' is a pack already: use it with data.source=packed data.path={path}.")
    if not isinstance(shard_mb, int | float) or not shard_mb > 0:
        raise DataError(f"A shard of {shard_mb!r} MB: expected a number above 0.")
    asked = _asked(source, place, splits, tasks, shard_mb, options)
    problems = Problems(one_of(on_error, ON_ERROR, "on_error"))
    refuse_within(root, place)
    _check_place(root)
    if there := _finished(root, asked):
        return Packed(there, kept=sum(len(split.shards) for split in there.splits.values()))
    names = None if tasks is None else tuple(asked["tasks"])
    with noted() as notes:
        request = Request(place, tuple(asked["splits"]), names, account=Account(problems))
        opened = reader.read(reader.adapted(request))
    return replace(Writing(root, asked, opened, place, problems, tell).run(), notes=tuple(notes))


def _asked(
    source: str,
    place: Path | None,
    splits: Iterable[str],
    tasks: Iterable[str] | None,
    shard_mb: float,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what is packed and how, as `pack.json` keeps it: a pack of anything else is another one."""
    return {
        "source": source,
        "path": None if place is None else os.path.abspath(place),
        "options": json.loads(json.dumps(options, default=str, sort_keys=True)),
        "splits": list(in_order(splits)),
        "tasks": None if tasks is None else list(tasks),
        "shard_mb": shard_mb,
    }


def _check_place(root: Path) -> None:
    """Refuse a folder that has something in it other than a pack, whole or not."""
    if root.exists() and not root.is_dir():
        raise DataError(f"'{root}' is a file: choose a folder that is empty or new.")
    names = {entry.name for entry in root.iterdir()} if root.is_dir() else set()
    if names and not names & {catalogue.PACK, JOURNAL} and not all(map(is_partial, names)):
        raise DataError(f"'{root}' is not empty, and no pack: choose a folder that is empty or new.")


def _finished(root: Path, asked: dict[str, Any]) -> Pack | None:
    """Return the pack that is asked for if it is there, and whole.

    Raises:
        DataError: there is another, or it is damaged, or its source has changed.
    """
    if not (root / catalogue.PACK).is_file():
        return None
    there = catalogue.read(root)
    for key, value in asked.items():
        if there.request.get(key) != value:
            raise DataError(
                f"'{root}' is a pack of {key}={there.request.get(key)!r}, not {value!r}: delete it, or choose another "
                "folder."
            )
    if change := there.origin.change():
        raise DataError(
            f"'{there.origin.root}' has changed since '{root}' was packed from it ({change}): delete that, then pack "
            "again."
        )
    shards.verify(root, [shard for split in there.splits.values() for shard in split.shards], full=True)
    return there
