"""What is in a source: every sample read once, and its sizes, labels and duplicates counted."""

import hashlib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from pipelines.contract import Request, Source, Split, Tree
from pipelines.errors import Problems
from pipelines.joining.opening import opened
from pipelines.kinds.spec import CROWD, IGNORE, LabelSpec
from pipelines.samples.batching import Batching
from pipelines.samples.reading import compiled, visit
from pipelines.splits import SPLITS, split_called

MOST_BOXES = 2000  # of an image that are counted
DRAWN_SIZE = (384, 512)  # height and width at which a source that draws its pictures is surveyed


class Example(NamedTuple):
    """One sample to look at: its split and name, image uint8 `[H, W, 3]`, labels as in a batch of one, and weights."""

    split: str
    name: str
    image: np.ndarray
    labels: Tree
    weights: dict[str, float]


@dataclass(frozen=True)
class Counts:
    """One task's labels in one split.

    Attributes:
        labelled: how many images have this label.
        classes: int64 `[C]`: images of each class, or objects in detection, or pixels in segmentation.
        ignored: int: regions to ignore in detection, or pixels in segmentation.
    """

    labelled: int
    classes: np.ndarray
    ignored: int


@dataclass(frozen=True)
class SplitSurvey:
    """One split.

    Attributes:
        images: how many can be used.
        shapes: int32 `[N, 2]`, their height and width.
        counts: by task.
        boxes: float32 `[K, 2]`, width and height of all objects in pixels.
        most_boxes: objects of the image that has the most.
    """

    images: int
    shapes: np.ndarray
    counts: dict[str, Counts]
    boxes: np.ndarray
    most_boxes: int


@dataclass(frozen=True)
class Survey:
    """A source.

    Attributes:
        specs: what the labels mean.
        splits: by name, of those that are there.
        skipped: a sentence for each image or box that cannot be used.
        duplicates: groups of `(split, name)` whose pixels are the same.
        notes: warnings of the source.
    """

    specs: tuple[LabelSpec, ...]
    splits: dict[str, SplitSurvey]
    skipped: list[str]
    duplicates: list[list[tuple[str, str]]]
    notes: list[str]
    source: Source = field(repr=False)
    rows: dict[str, np.ndarray] = field(repr=False)

    def examples(self, count: int, size: tuple[int, int]) -> Iterator[Example]:
        """Yield samples spread over all splits, the pictures centred in `size` (height and width) amid grey."""
        batching = Batching(self.specs, size, 1, resize="letterbox")
        total, left = sum(map(len, self.rows.values())), count
        for place, (split, rows) in enumerate(self.rows.items()):
            others = len(self.rows) - place - 1
            share = left if not others else max(1, min(left - others, round(count * len(rows) / total)))
            left -= share
            for row in rows[np.unique(np.linspace(0, len(rows) - 1, max(0, share)).round().astype(int))]:
                sample = self.source.splits[split].read(tf.constant(row, tf.int64))
                sample = batching.place_whole(sample, tf.shape(sample["image"])[:2])
                labels = {spec.name: sample["labels"][spec.name] for spec in self.specs}
                for spec in self.specs:
                    if spec.kind in ("segmentation", "depth"):
                        pixels = labels[spec.name][..., 0]
                        labels[spec.name] = pixels if spec.kind == "depth" else tf.cast(pixels, tf.int32)
                weights = {name: float(weight) for name, weight in sample["weights"].items()}
                labels = tf.nest.map_structure(lambda x: x.numpy()[None], labels)
                yield Example(split, self.source.splits[split].name(int(row)), sample["image"].numpy(), labels, weights)


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
    folder, asked = None if path is None else Path(path), tuple(split_called(name) for name in splits)
    request = Request(folder, asked, None if tasks is None else tuple(tasks), DRAWN_SIZE, MOST_BOXES, problems)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        found = opened(source, request, options)
    notes = [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]
    results, rows, seen = {}, {}, dict[bytes, list[tuple[str, str]]]()
    for name, split in found.splits.items():
        tally = Tally(split, found.specs)
        rows[name] = visit(split, compiled(split.read), found.specs, problems, tally)
        results[name] = tally.result(rows[name])
        for row in rows[name]:
            seen.setdefault(tally.digests[row], []).append((name, split.name(int(row))))
    duplicates = [group for group in seen.values() if len(group) > 1]
    return Survey(found.specs, results, problems.skipped, duplicates, notes, found, rows)


class Tally:
    """Counts the samples of one split as they are read, in any order."""

    def __init__(self, split: Split, specs: tuple[LabelSpec, ...]):
        self.shapes, self.specs = split.shapes, specs
        self.digests = [b""] * len(split.shapes)
        self.labels: list[dict[str, tuple[np.ndarray, int] | None]] = [{}] * len(split.shapes)
        self.boxes = [np.zeros((0, 2), np.float32)] * len(split.shapes)

    def put(self, index: int, sample: Tree) -> None:
        """Count one sample."""
        image = sample["image"]
        self.digests[index] = hashlib.blake2b(repr(image.shape).encode() + image.tobytes(), digest_size=16).digest()
        weights = sample["weights"]
        counted = {s.name: _count(sample["labels"][s.name], s) if weights[s.name] > 0 else None for s in self.specs}
        self.labels[index] = counted
        for spec in self.specs:
            if spec.kind == "detection":
                boxes, classes = sample["labels"][spec.name]["boxes"], sample["labels"][spec.name]["classes"]
                self.boxes[index] = (boxes[:, 2:] - boxes[:, :2])[classes >= 0]

    def result(self, rows: np.ndarray) -> SplitSurvey:
        """Sum up the samples of these indices."""
        counts = {}
        for spec in self.specs:
            each = [found for row in rows if (found := self.labels[row].get(spec.name)) is not None]
            classes = np.zeros(len(spec.classes), np.int64)
            for known, _ in each:
                classes += known
            counts[spec.name] = Counts(len(each), classes, sum(ignored for _, ignored in each))
        boxes = [self.boxes[row] for row in rows]
        most = max(map(len, boxes), default=0)
        return SplitSurvey(len(rows), self.shapes[rows], counts, np.concatenate([np.zeros((0, 2)), *boxes]), most)


def _count(label: Any, spec: LabelSpec) -> tuple[np.ndarray, int]:
    """Count one sample's label: of each class, int64 `[C]`, and what is ignored."""
    size = len(spec.classes)
    if spec.kind == "multi_label":
        return (label == 1).astype(np.int64), 0
    if spec.kind == "depth":
        return np.zeros(0, np.int64), int((~(np.isfinite(label) & (label > 0))).sum())
    if spec.kind == "segmentation":
        pixels = np.bincount(label.ravel(), minlength=IGNORE + 1)
        return pixels[:size], int(pixels[IGNORE])
    classes = label["classes"] if spec.kind == "detection" else np.ravel(label)
    return np.bincount(classes[classes >= 0], minlength=size), int((classes == CROWD).sum())
