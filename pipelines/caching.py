"""A source kept in files: packed once, and read from the pack as long as it has not changed."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.files import removed
from pipelines.packing import pack
from pipelines.packs import catalogue
from pipelines.packs.journal import JOURNAL, OtherPackError
from pipelines.sources.packed import Packed
from pipelines.splits import SPLITS


def kept(name: str, request: Request, options: Mapping[str, Any], folder: Path) -> Source:
    """Return a source from its pack in a folder, which is made the first time and whenever the source has changed.

    The pack of each source, path, options and tasks has a folder of its own in this one, with all splits of a source
    that has "train": training and evaluation read the same. A pack that was interrupted is gone on with, one that is
    damaged, or was begun before the source changed, is made again.

    Args:
        name: of the source.
        request: what is asked for, with a path.
        options: of the source.
        folder: where the packs are.

    Raises:
        DataError: the source cannot be read, something is broken in it, or the folder cannot be written.
    """
    place, tasks = os.path.abspath(request.path or ""), request.tasks
    splits = SPLITS if "train" in request.splits else request.splits
    asked = json.dumps([name, place, dict(options), splits, tasks], default=str, sort_keys=True)
    root = folder / f"{name}-{hashlib.md5(asked.encode(), usedforsecurity=False).hexdigest()[:12]}"
    if request.problems.on_error == "skip":
        raise DataError(
            f"cache='{folder}' keeps sound data only: set on_error to stop, or leave broken files out once by "
            "`visionmtl data pack --on-error skip`."
        )
    if (root / catalogue.PACK).is_file():
        try:
            return Packed().read(replace(request, path=root))
        except DataError:  # it is damaged, or the source has changed
            removed(root)
    elif root.is_dir() and not (root / JOURNAL).is_file():  # it has lost what says that it is a pack
        removed(root)
    try:
        pack(name, root, request.path, splits, tasks, **options)
    except OtherPackError:  # begun before the source changed, as when it was broken then
        removed(root)
        pack(name, root, request.path, splits, tasks, **options)
    return Packed(verify="size").read(replace(request, path=root))
