"""The samples of a split taken to their files: pictures copied, masks written, objects kept until all are there."""

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipelines import kinds
from pipelines.contract import Original, Split, Tree
from pipelines.kinds.spec import CROWD, LabelSpec
from pipelines.packs import examples
from pipelines.pixels import pictures
from pipelines.sources.files.entries import Annotation
from pipelines.writers.base import Picture, Writer

NO_PLACE = "as the format has no place for it; a CSV file or a folder per class has one for classes"


class Tasks(NamedTuple):
    """Which task is that of the boxes, which that of the masks, and which have no place in a format."""

    boxes: LabelSpec | None
    masks: LabelSpec | None
    others: tuple[LabelSpec, ...]


class Keeper:
    """Writes pictures and masks of a split, in any order and by several threads at once; labels are kept for later.

    Args:
        writer: of the format.
        key: the split.
        split: its samples.
        names: what they are to be called, without suffixes.
        tasks: which of their labels are what.
        link: whether pictures are links to those of the source.

    Attributes:
        kept: by sample, what was written; None of one that was left out.
    """

    def __init__(self, writer: Writer, key: str, split: Split, names: Sequence[str], tasks: Tasks, link: bool):
        self.writer, self.key, self.split, self.names = writer, key, split, names
        self.tasks, self.link = tasks, link
        self.kept: dict[int, Picture | None] = {}
        self.told: dict[int, Counter[str]] = {}

    def rules(self) -> Counter[str]:
        """Return what could not be written as it was."""
        return sum(self.told.values(), Counter())

    def put(self, index: int, sample: Tree) -> None:
        """Write one sample."""
        tasks, writer = self.tasks, self.writer
        told = self.told[index] = Counter[str]()
        original = self.split.original(index)
        labelled = {name for name, weight in sample["weights"].items() if weight > 0}
        objects: Sequence[Annotation] | None = None
        if tasks.boxes and tasks.boxes.name in labelled:
            objects = told_objects(original, tasks.masks)
            objects = _objects(sample["labels"][tasks.boxes.name], tasks.boxes.classes) if objects is None else objects
        elif tasks.boxes and not writer.unlabelled:
            told[f"images not labelled for '{tasks.boxes.name}': left out, as {writer.title} takes them for empty"] += 1
            self.kept[index] = None
            return
        for spec in tasks.others:
            if spec.name in labelled and not _follows(spec, sample["labels"][spec.name], objects, tasks.boxes):
                words = f"images labelled for '{spec.name}' ({spec.kind}): written without, {NO_PLACE}"
                told[words] += 1
        height, width = map(int, self.split.shapes[index])
        suffix = self._picture(index, sample["image"], original, told)
        masked = tasks.masks is not None and tasks.masks.name in labelled
        masks = writer.masks(self.key)
        if tasks.masks and masked and masks:
            writer.mask(sample["labels"][tasks.masks.name][..., 0], masks / f"{self.names[index]}.png")
        self.kept[index] = Picture(f"{self.names[index]}{suffix}", (height, width), objects, masked)

    def _picture(self, index: int, image: np.ndarray, original: Original, told: Counter[str]) -> str:
        """Write a picture and return its suffix."""
        writer, file = self.writer, original.picture
        stem = str(writer.pictures(self.key) / self.names[index])
        os.makedirs(os.path.dirname(stem), exist_ok=True)
        if file and (why := _not_copied(file, writer, original)):
            told[f"pictures written as PNG: {why}"] += 1
        elif file:
            if self.link:
                os.symlink(os.path.abspath(file), f"{stem}{file.suffix}")
            else:
                shutil.copyfile(file, f"{stem}{file.suffix}")
            return file.suffix
        elif self.link:
            told["pictures written and not linked: they are no files"] += 1
        encoded = pictures.png(image) if file else examples.picture(self.split.encoded(index), image)
        suffix = ".jpg" if encoded.startswith(b"\xff\xd8") else ".png"
        Path(f"{stem}{suffix}").write_bytes(encoded)
        return suffix


def told_objects(original: Original, masks: LabelSpec | None) -> Sequence[Annotation] | None:
    """Return the objects that a source tells of, without their outlines if masks are not wanted."""
    if original.objects is None or masks:
        return original.objects
    return [replace(annotation, segmentation=None) for annotation in original.objects]


def _not_copied(file: Path, writer: Writer, original: Original) -> str | None:
    """Say why the file of a picture cannot be that of the set that is written; None where it can."""
    if writer.suffixes is not None and file.suffix.lower() not in writer.suffixes:
        return f"{writer.title}'s tools read no {file.suffix}"
    way = original.orientation
    if way and not way.upright and not (writer.sizes and way.by == "labels"):  # whose size will tell again
        return f"they lie turned (EXIF), are labelled so, and {writer.title} does not tell"
    return None


def _objects(label: Tree, classes: Sequence[str]) -> list[Annotation]:
    """Return the rows of a label as objects; a region to ignore has no class there."""
    found = []
    for box, class_ in zip(label["boxes"], label["classes"].tolist(), strict=True):
        x_min, y_min, x_max, y_max = (float(str(value)) for value in box)  # 10.2 stays 10.2
        if class_ >= 0 or class_ == CROWD:
            name = classes[class_] if class_ >= 0 else ""
            found.append(Annotation((x_min, y_min, x_max, y_max), name, crowd=class_ == CROWD))
    return found


def _follows(spec: LabelSpec, label: Any, objects: Sequence[Annotation] | None, boxes: LabelSpec | None) -> bool:
    """Whether a label says no more than the objects do: which classes there are."""
    if not kinds.of(spec).follows or objects is None or boxes is None or set(spec.classes) != set(boxes.classes):
        return False
    there = {each.category for each in objects}
    return all((value == 1) == (name in there) for name, value in zip(spec.classes, label.tolist(), strict=True))
