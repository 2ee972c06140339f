"""What is in a pack: `pack.json`, written last, and `index.npz`, the arrays that would make it long."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.errors import DataError
from pipelines.files import written_whole
from pipelines.kinds.following import follow_boxes
from pipelines.kinds.spec import LabelSpec
from pipelines.packs.origin import Origin
from pipelines.packs.shards import ANEW, FRAME, GOES_ON, Shard, checksum

PACK, INDEX = "pack.json", "index.npz"
FORMAT = 1
FOLLOWS: dict[str, Callable] = {"boxes": follow_boxes}  # what `Split.follow` may be


@dataclass(frozen=True)
class PackedSplit:
    """One split of N samples.

    Attributes:
        shards: its files.
        shapes: int32 `[N, 2]`, height and width of each picture.
        lengths: int64 `[N]`, bytes of each record.
        names: what the samples are called.
        objects: by task of a kind that has objects, int32 `[N]`, how many rows each sample has.
        follow: the name in `FOLLOWS` of what labels follow from when pictures are cropped, or None.
    """

    shards: tuple[Shard, ...]
    shapes: np.ndarray
    lengths: np.ndarray
    names: list[str]
    objects: dict[str, np.ndarray]
    follow: str | None

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return of each record which shard it is in, and where its frame begins: int64 `[N]` each."""
        counts = [shard.samples for shard in self.shards]
        owner = np.repeat(np.arange(len(counts)), counts)
        ends = np.concatenate([[0], np.cumsum(self.lengths + FRAME)])
        before = np.concatenate([[0], np.cumsum(counts)])[:-1]
        return owner, ends[:-1] - ends[before][owner]


@dataclass(frozen=True)
class Pack:
    """A pack.

    Attributes:
        request: what was packed and how: source, path, options, splits, tasks, megabytes of a shard.
        specs: what the labels mean.
        absent: class names known to occur nowhere.
        splits: by name.
        origin: the source's files as they were.
    """

    request: dict[str, Any]
    specs: tuple[LabelSpec, ...]
    absent: frozenset[str]
    splits: dict[str, PackedSplit]
    origin: Origin


def write(root: Path, pack: Pack) -> None:
    """Write `index.npz`, then `pack.json`.

    Raises:
        DataError: they cannot be written.
    """
    arrays = {"origin/names": _joined(pack.origin.files), "origin/stamps": np.array([*pack.origin.files.values()])}
    for name, split in pack.splits.items():
        arrays |= {f"{name}/shapes": split.shapes, f"{name}/lengths": split.lengths}
        arrays |= {f"{name}/names": _joined(split.names)}
        arrays |= {f"{name}/objects/{task}": counts for task, counts in split.objects.items()}
    with written_whole(root / INDEX, advice=GOES_ON) as partial, partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    content = {
        "format": FORMAT,
        "request": pack.request,
        "origin": {"root": pack.origin.root and str(pack.origin.root), "whole": pack.origin.whole},
        "specs": [asdict(spec) for spec in pack.specs],
        "absent": sorted(pack.absent),
        "splits": {
            name: {
                "samples": len(split.names),
                "follow": split.follow,
                "shards": [asdict(shard) for shard in split.shards],
            }
            for name, split in pack.splits.items()
        },
        "index": checksum(root / INDEX),
    }
    with written_whole(root / PACK, advice=GOES_ON) as partial:
        partial.write_text(json.dumps(content, indent=1), encoding="utf-8")


def read(root: Path) -> Pack:
    """Read what is in a pack.

    Raises:
        DataError: `pack.json` or `index.npz` is missing, damaged or of another format.
    """
    try:
        content = json.loads((root / PACK).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise DataError(f"'{root / PACK}' is of format {content['format']}, not {FORMAT}: {ANEW}.")
        if checksum(root / INDEX) != content["index"]:
            raise DataError(f"'{root / INDEX}' is damaged: {ANEW}.")
        with np.load(root / INDEX) as arrays:
            return _pack(content, dict(arrays))
    except FileNotFoundError as error:
        raise DataError(f"'{error.filename}' is missing: {ANEW}.") from None
    except DataError:
        raise
    except (ValueError, KeyError, TypeError):
        raise DataError(f"'{root / PACK}' is no list of a pack's contents: {ANEW}.") from None


def _pack(content: dict[str, Any], arrays: dict[str, np.ndarray]) -> Pack:
    splits = {}
    for name, split in content["splits"].items():
        prefix = f"{name}/objects/"
        splits[name] = PackedSplit(
            tuple(Shard(**shard) for shard in split["shards"]),
            arrays[f"{name}/shapes"],
            arrays[f"{name}/lengths"],
            _parted(arrays[f"{name}/names"]),
            {key.removeprefix(prefix): counts for key, counts in arrays.items() if key.startswith(prefix)},
            split["follow"],
        )
    place = content["origin"]
    names, stamps = _parted(arrays["origin/names"]), map(tuple, arrays["origin/stamps"].tolist())
    files = dict(zip(names, stamps, strict=True))
    origin = Origin(place["root"] and Path(place["root"]), place["whole"], files)
    specs = tuple(LabelSpec(**spec) for spec in content["specs"])
    return Pack(content["request"], specs, frozenset(content["absent"]), splits, origin)


def _joined(names: Any) -> np.ndarray:
    """Names as one array of bytes, a zero after each, as no name of a file has one."""
    return np.frombuffer("".join(f"{name}\0" for name in names).encode(errors="surrogateescape"), np.uint8)


def _parted(joined: np.ndarray) -> list[str]:
    return joined.tobytes().decode(errors="surrogateescape").split("\0")[:-1]
