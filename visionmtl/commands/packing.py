"""`visionmtl data pack`: a data set written as shards of TFRecord, and what was written printed as a table."""

from functools import partial
from pathlib import Path
from typing import Any

import pipelines
from pipelines.splits import SPLITS
from visionmtl.errors import one_of
from visionmtl.report import tables


def pack(
    source: str,
    out: str,
    path: str | None = None,
    options: dict[str, Any] | None = None,
    split: str | None = None,
    shard_mb: float = 256,
    on_error: str = "stop",
) -> None:
    """Pack a data set, and print what is in the pack and how it is used.

    Args:
        source: the name of a source, or a folder or CSV file whose format is recognised.
        out: the folder of the pack.
        path: the folder of a source that reads one.
        options: of the source.
        split: one split alone; None for all that are there.
        shard_mb: megabytes of a shard, about.
        on_error: "stop" or "skip".

    Raises:
        UsageError, pipelines.DataError: the data cannot be read, or the pack not be written.
        KeyboardInterrupt: with how to go on.
    """
    source, path = pipelines.find(source, path)
    for option in options or ():  # some might be arguments of `pipelines.pack`
        one_of(option, pipelines.options(source), f"option of source '{source}'")
    splits = [split] if split else SPLITS
    pack = partial(pipelines.pack, shard_mb=shard_mb, on_error=on_error, tell=partial(print, flush=True))
    try:
        done = pack(source, out, path, splits, **(options or {}))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("The same command goes on from the shards that are whole.") from None
    if not done.written:
        print(f"'{out}' is packed already and whole: there is nothing to do.")
    elif done.kept:
        print(f"{done.kept} of {done.kept + done.written} shards were there from before.")
    print(f"\n{report(done, out)}")


def report(done: "pipelines.Packed", out: str | Path) -> str:
    """Return what was packed as text."""
    rows = []
    for name, split in done.pack.splits.items():
        rows.append([name, len(split.names), len(split.shards), sum(shard.bytes for shard in split.shards) / 1e6])
    parts = [tables.table(["split", "images", "shards", "MB"], rows)]
    parts += [tables.listing(*pair) for pair in (("Left out", done.skipped), ("Notes", done.notes)) if pair[1]]
    parts.append(f"Use it with: data.source=packed data.path={out}")
    return "\n\n".join(parts)
