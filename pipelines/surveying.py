"""What is in a source: every sample read once, and its sizes, labels and duplicates counted."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import kinds
from pipelines.accounts.account import Account
from pipelines.contract import Request, Source, Split, Tree
from pipelines.errors import Problems, noted
from pipelines.joining.opening import opened
from pipelines.kinds.kind import Count
from pipelines.kinds.spec import LabelSpec
from pipelines.pixels import likeness
from pipelines.samples.reading import compiled, visit
from pipelines.samples.showing import Example, example, spread
from pipelines.splits import SPLITS, in_order

MOST_BOXES = 2000  # of an image that are counted


@dataclass(frozen=True)
class Counts:
    """One task's labels in one split.

    Attributes:
        labelled: how many images have this label.
        classes: int64 `[C]`: how many of each class, in the unit of the kind: images, objects or pixels.
        ignored: how many regions, pixels or numbers are neither learnt nor counted.
        sizes: float64 `[K, 2]`, width and height in pixels of all objects, if the kind has objects.
        most: objects of the image that has the most.
    """

    labelled: int
    classes: np.ndarray
    ignored: int
    sizes: np.ndarray
    most: int


@dataclass(frozen=True)
class SplitSurvey:
    """One split.

    Attributes:
        images: how many can be used.
        shapes: int32 `[N, 2]`, their height and width.
        counts: by task.
    """

    images: int
    shapes: np.ndarray
    counts: dict[str, Counts]


@dataclass(frozen=True)
class Survey:
    """A source.

    Attributes:
        specs: what the labels mean.
        splits: by name, of those that are there.
        skipped: a sentence for each image or box that cannot be used.
        duplicates: groups of `(split, name)` whose pixels are the same.
        notes: warnings of the source.
        near: pictures that are nearly the same.
        copies: of each group of duplicates in several splits, two.
    """

    specs: tuple[LabelSpec, ...]
    splits: dict[str, SplitSurvey]
    skipped: list[str]
    duplicates: list[list[tuple[str, str]]]
    notes: list[str]
    source: Source = field(repr=False)
    rows: dict[str, np.ndarray] = field(repr=False)
    near: likeness.Near = field(default_factory=likeness.Near)
    copies: list[likeness.Pair] = field(default_factory=list, repr=False)

    def name(self, split: str, row: int) -> str:
        """Return what a sample is called."""
        return self.source.splits[split].name(row)

    def examples(self, count: int, size: tuple[int, int]) -> Iterator[Example]:
        """Yield samples spread over all splits, the pictures centred in `size` (height and width) amid grey."""
        total, left = sum(map(len, self.rows.values())), count
        for place, (split, rows) in enumerate(self.rows.items()):
            others = len(self.rows) - place - 1
            quota = left if not others else max(1, min(left - others, round(count * len(rows) / total)))
            left -= quota
            for row in spread(rows, quota):
                yield self.example(split, row, size)

    def example(self, split: str, row: int, size: tuple[int, int]) -> Example:
        """Return one sample, its picture centred in `size` (height and width) amid grey."""
        found = example(self.source.splits[split], split, row, self.specs, size)
        assert found is not None, "the rows of a survey are good"
        return found


def survey(
    source: str,
    path: str | Path | None = None,
    splits: Iterable[str] = SPLITS,
    tasks: Iterable[str] | None = None,
    **options: Any,
) -> Survey:
    """Read all of a source and count what is in it; what is broken is listed and left out.

    Args:
        source: one of `pipelines.names()`.
        path: the folder (or CSV file), of a source that reads one.
        splits: which of "train", "validation" and "test".
        tasks: names of the tasks whose labels to read; None for all.
        **options: of the source; `visionmtl list sources` has them.

    Raises:
        DataError: the source cannot be read at all.
    """
    problems = Problems("skip")
    folder, names = None if path is None else Path(path), None if tasks is None else tuple(tasks)
    request = Request(folder, in_order(splits), names, max_boxes=MOST_BOXES, account=Account(problems))
    with noted() as notes:
        data = opened(source, request, options)
    results, rows, seen = {}, {}, dict[bytes, list[tuple[str, int]]]()
    thumbnails: list[np.ndarray] = []
    for name, split in data.splits.items():
        tally = Tally(split, data.specs)
        rows[name] = visit(split, compiled(split.read), data.specs, problems, tally)
        results[name] = tally.result(rows[name])
        thumbnails.append(tally.thumbnails[rows[name]])
        for row in rows[name].tolist():
            seen.setdefault(tally.digests[row], []).append((name, row))
    groups = [group for group in seen.values() if len(group) > 1]
    copies = [likeness.Pair(group[0], other, 1.0) for group in groups if (other := _elsewhere(group))]
    near = _near(list(seen.values()), rows, thumbnails)
    duplicates = [[(split, data.splits[split].name(row)) for split, row in group] for group in groups]
    return Survey(data.specs, results, problems.skipped, duplicates, notes, data, rows, near, copies)


def _elsewhere(group: list[tuple[str, int]]) -> tuple[str, int] | None:
    """The first of some samples that is not of the split of the first."""
    return next((place for place in group if place[0] != group[0][0]), None)


def _near(
    groups: list[list[tuple[str, int]]], rows: dict[str, np.ndarray], thumbnails: list[np.ndarray]
) -> likeness.Near:
    """Find pictures that are nearly the same, but not of one group; thumbnails in the order of the rows."""
    places = [(split, row) for split, own in rows.items() for row in own.tolist()]
    group = {place: number for number, same in enumerate(groups) for place in same}
    return likeness.near(np.concatenate(thumbnails), places, np.array([group[place] for place in places], np.int64))


class Tally:
    """Counts the samples of one split as they are read, in any order."""

    def __init__(self, split: Split, specs: tuple[LabelSpec, ...]):
        self.shapes, self.kinds = split.shapes, {spec.name: kinds.of(spec) for spec in specs}
        self.digests = [b""] * len(split.shapes)
        self.thumbnails = np.zeros((len(split.shapes), likeness.HEIGHT, likeness.WIDTH), np.uint8)
        self.counts: list[dict[str, Count]] = [{}] * len(split.shapes)  # of each sample, by the tasks that label it

    def put(self, index: int, sample: Tree) -> None:
        """Count one sample."""
        image, labels = sample["image"], sample["labels"]
        digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
        digest.update(image.reshape(-1))
        self.digests[index] = digest.digest()
        self.thumbnails[index] = likeness.thumbnail(image)
        labelled = {name: kind for name, kind in self.kinds.items() if sample["weights"][name] > 0}
        self.counts[index] = {name: kind.count(labels[name]) for name, kind in labelled.items()}

    def result(self, rows: np.ndarray) -> SplitSurvey:
        """Sum up the samples of these indices."""
        totals = {}
        for name, kind in self.kinds.items():
            each = [count for row in rows if (count := self.counts[row].get(name)) is not None]
            none = Count(np.zeros(len(kind.classes), np.int64))
            classes = sum((count.classes for count in each), none.classes)
            sizes = np.concatenate([np.zeros((0, 2)), *(count.sizes for count in each)])
            most = max((len(count.sizes) for count in each), default=0)
            totals[name] = Counts(len(each), classes, sum(count.ignored for count in each), sizes, most)
        return SplitSurvey(len(rows), self.shapes[rows], totals)
