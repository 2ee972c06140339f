"""The writing of a pack: a source's samples read once, shard by shard."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import kinds
from pipelines.contract import Source, Split, Tree
from pipelines.errors import DataError, Problems
from pipelines.files import removed
from pipelines.kinds.kind import Kind
from pipelines.kinds.spec import LabelSpec
from pipelines.packs import catalogue, examples, shards
from pipelines.packs.catalogue import FOLLOWS, Pack, PackedSplit
from pipelines.packs.journal import Finished, Journal
from pipelines.packs.origin import Origin
from pipelines.samples.reading import compiled, visit

AT_ONCE = 256  # samples that are read before they are written
PICTURE = 0.5  # bytes a pixel, roughly, of a picture that is no file


@dataclass(frozen=True)
class Packed:
    """What `pipelines.pack` did.

    Attributes:
        pack: what is in the folder.
        written: how many shards were written.
        kept: how many were there already.
        skipped: a sentence for each image or box left out.
        notes: warnings of the source.
    """

    pack: Pack
    written: int = 0
    kept: int = 0
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Writing:
    """The writing of one pack.

    Args:
        root: the folder.
        asked: what is packed and how.
        source: where the samples come from.
        place: the folder or file that it was asked to read.
        problems: told of each sample that cannot be read.
        tell: called with a line for each shard that is written.

    Raises:
        DataError: the source cannot be packed.
    """

    def __init__(
        self,
        root: Path,
        asked: dict[str, Any],
        source: Source,
        place: Path | None,
        problems: Problems,
        tell: Callable[[str], None],
    ):
        self.root, self.asked, self.source, self.problems, self.tell = root, asked, source, problems, tell
        reads = source.place or place
        if reads is None:
            raise DataError(
                f"Source '{asked['source']}' draws its pictures at the size they are asked for: there are none to pack."
            )
        names = {key: [s.name(i) for i in range(len(s.shapes))] for key, s in source.splits.items()}
        files = [*map(str, source.lists), *(name for called in names.values() for name in called)]
        self.origin = Origin.of(reads, files)
        self.names = {key: [self.origin.called(name) for name in called] for key, called in names.items()}
        self.follows = {key: _follow(split, asked["source"]) for key, split in source.splits.items()}
        self.counted = {spec.name: kind for spec in source.specs if (kind := kinds.of(spec)).has_objects}

    def run(self) -> Packed:
        """Write what is not there yet.

        Raises:
            DataError: a sample is broken, or the folder cannot be written, or the source changes meanwhile.
        """
        runs = {key: self._runs(key) for key in self.source.splits}
        journal = Journal(self.root, {"request": self.asked, "origin": self.origin.digest, "plan": runs})
        splits, kept = {}, 0
        for key, stretches in runs.items():
            finished: list[Finished] = []
            read = None
            for number, (start, end) in enumerate(stretches):
                file = shards.name(key, number, len(stretches))
                done = journal.finished.get(file)
                if done and shards.is_whole(self.root, done.shard):
                    kept += 1
                    for sentence in done.skipped:
                        self.problems.report(sentence)
                else:
                    read = read or compiled(self.source.splits[key].read)
                    done = self._write(file, key, read, range(start, end))
                    journal.add(done)
                    self.tell(f"{file}: {done.shard.samples:,} images, {done.shard.bytes / 1e6:,.1f} MB")
                finished.append(done)
            splits[key] = self._split(key, finished)
        if change := self.origin.change():
            raise DataError(f"'{self.origin.root}' changed while it was packed ({change}): delete '{self.root}'.")
        pack = Pack(self.asked, self.source.specs, self.source.absent, splits, self.origin)
        catalogue.write(self.root, pack)
        removed(journal.path)
        written = sum(map(len, runs.values())) - kept
        return Packed(pack, written, kept, tuple(self.problems.skipped))

    def _runs(self, key: str) -> list[list[int]]:
        """The first sample of each shard and the one past its last."""
        pixels = self.source.splits[key].shapes.astype(np.int64).prod(axis=1)
        stamps = [self.origin.files.get(name) for name in self.names[key]]
        sizes = np.array([stamp[0] if stamp else PICTURE * count for stamp, count in zip(stamps, pixels, strict=True)])
        sizes = sizes + pixels * sum(kinds.of(spec).pixel_bytes for spec in self.source.specs)
        return [list(run) for run in shards.divide(sizes, self.asked["shard_mb"] * 1e6)]

    def _write(self, file: str, key: str, read: Any, rows: range) -> Finished:
        """Write the shard of these samples."""
        done, before = Finished(file, objects={name: [] for name in self.counted}), len(self.problems.skipped)

        def records() -> Iterator[bytes]:
            for start in range(rows.start, rows.stop, AT_ONCE):
                keeper = _Keeper(self.source.splits[key], self.source.specs, self.counted, self.names[key], start)
                for row in self._read(key, read, start, min(start + AT_ONCE, rows.stop), keeper):
                    record, counts = keeper.kept.pop(row)
                    done.rows.append(row)
                    done.lengths.append(len(record))
                    for name in self.counted:
                        done.objects[name].append(counts[name])
                    yield record

        checksum = shards.write(self.root / file, records())
        return replace(done, checksum=checksum, skipped=self.problems.skipped[before:])

    def _read(self, key: str, read: Any, start: int, end: int, keeper: "_Keeper") -> list[int]:
        """Read some samples of a split; return those that are good."""
        split = self.source.splits[key]
        stretch = replace(split, shapes=split.shapes[start:end], diagnose=lambda index: split.diagnose(index + start))
        good = visit(stretch, lambda index: read(index + start), self.source.specs, self.problems, keeper)
        return (good + start).tolist()

    def _split(self, key: str, finished: list[Finished]) -> PackedSplit:
        """Put together what is known of a split."""
        rows = [row for shard in finished for row in shard.rows]
        if not rows:
            raise DataError(f"Split '{key}' has no image that can be used.{self.problems.first}")
        objects = {name: [count for shard in finished for count in shard.objects[name]] for name in self.counted}
        return PackedSplit(
            tuple(shard.shard for shard in finished),
            self.source.splits[key].shapes[rows],
            np.array([length for shard in finished for length in shard.lengths], np.int64),
            [self.names[key][row] for row in rows],
            {name: np.array(counts, np.int32) for name, counts in objects.items()},
            self.follows[key],
        )


class _Keeper:
    """Makes records of the samples of a split from `start` on, in any order and by several threads at once."""

    def __init__(
        self, split: Split, specs: Sequence[LabelSpec], counted: Mapping[str, Kind], names: list[str], start: int
    ):
        self.split, self.specs, self.counted, self.names, self.start = split, specs, counted, names, start
        self.kept: dict[int, tuple[bytes, dict[str, int]]] = {}

    def put(self, index: int, sample: Tree) -> None:
        """Make the record of one sample."""
        row, labels = index + self.start, sample["labels"]
        try:
            encoded = self.split.encoded(row)
        except OSError:
            encoded = None
        image = examples.picture(encoded, sample["image"])
        counts = {name: kind.rows(labels[name]) for name, kind in self.counted.items()}
        self.kept[row] = examples.write(self.names[row], image, sample, self.specs), counts


def _follow(split: Split, source: str) -> str | None:
    """The name of what a split's image-level labels follow from."""
    for name, follow in FOLLOWS.items():
        if split.follow is follow:
            return name
    if split.follow is None:
        return None
    raise DataError(f"Source '{source}' changes labels with the crop in a way of its own, which a pack cannot keep.")
