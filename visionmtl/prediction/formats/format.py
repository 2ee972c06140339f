"""What every format of data sets is: where pictures go, and how the labels are written that were predicted for them."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pipelines.pixels import pictures
from pipelines.sources.files.entries import Annotation
from visionmtl.errors import UsageError
from visionmtl.files import written_whole
from visionmtl.prediction.confidences import SHOWN, Confidences
from visionmtl.prediction.network import Predictions
from visionmtl.tasks import Task

Record = Mapping[str, Any]
DIGITS = 6  # of a sum of two numbers of fewer


class Records(Sequence[Record]):
    """The records of pictures that could be read, gone through from the file each time and never held together."""

    def __init__(self, journal: Any):
        self.journal, self.size = journal, sum(1 for record in journal if "error" not in record)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Record]:
        return (record for record in self.journal if "error" not in record)

    def __getitem__(self, place: Any) -> Any:
        return list(self)[place]


class DataSet:
    """One format; the first line of a subclass's docstring says what it writes.

    Args:
        root: the folder to fill.
        tasks: of the model, by name, or what `labels.json` says of each.
        split: the split that the pictures are written as.
        confidences: from which score on objects count, by task and class.
        link: whether pictures are symbolic links to those predicted on, in place of copies.

    Attributes:
        title: what the format is called.
        holds: the kinds of task that it has a place for, one task of each unless it is `several`.
    """

    title: ClassVar[str]
    holds: ClassVar[tuple[str, ...]]
    several: ClassVar[bool] = False

    def __init__(self, root: Path, tasks: Mapping[str, Task], split: str, confidences: Confidences, link: bool):
        self.root, self.split, self.link, self.confidences = root, split, link, confidences
        self.tasks = {name: task for name, task in tasks.items() if task.kind in self.holds}
        self.left = [name for name in tasks if name not in self.tasks]
        if not self.tasks:
            there = ", ".join(f"'{name}' ({task.kind})" for name, task in tasks.items())
            raise UsageError(f"{self.title} has a place for {' and '.join(self.holds)}, and the model has {there}.")
        by_kind: dict[str, list[str]] = {}
        for name, task in self.tasks.items():
            by_kind.setdefault(task.kind, []).append(name)
        for kind, own in by_kind.items():
            if len(own) > 1 and not self.several:
                raise UsageError(
                    f"{self.title} has a place for one task of {kind}, and the model has {', '.join(own)}: choose one "
                    "by --tasks."
                )

    def folder(self) -> Path:
        """Return the folder of the pictures."""
        raise NotImplementedError

    def copies(self, file: Path | None) -> bool:
        """Whether the picture of a file can be that of the data set as it is; else it is written as PNG."""
        return file is not None

    def stem(self, name: str) -> str:
        """Return what a picture of this name is called here, without a suffix."""
        return name

    def put(self, name: str, file: Path | None, pixels: np.ndarray | None, predictions: Predictions) -> str:
        """Write one picture, and what of its labels are files of their own; return its name in the data set.

        Args:
            name: of the picture, without a suffix.
            file: that holds it, or None.
            pixels: uint8 `[h, w, 3]` where it is not to be copied.
            predictions: by task.
        """
        own = f"{self.stem(name)}{file.suffix if file and pixels is None else '.png'}"
        with written_whole(self.folder() / own, durable=False) as partial:
            if pixels is not None:
                partial.write_bytes(pictures.png(pixels))
            elif file is not None and self.link:
                partial.unlink(missing_ok=True)
                os.symlink(os.path.abspath(file), partial)
            elif file is not None:
                shutil.copyfile(file, partial)
        return own

    def finish(self, records: Records) -> list[str]:
        """Write the labels of all pictures, and return what could not be written as it was, as sentences."""
        raise NotImplementedError

    def task(self, kind: str) -> Task | None:
        """Return the task of a kind, if there is one."""
        return {task.kind: task for task in self.tasks.values()}.get(kind)

    def objects(self, record: Record, task: Task) -> list[Annotation]:
        """Return the objects of a picture that the data set is to have, best first.

        They are those that count, or of a task without confidences those that a drawing shows; boxes without area, as
        of an object at the edge, are no objects.
        """
        least = 0.0 if task.name in self.confidences else SHOWN
        found = []
        for each in record["objects"][task.name]:
            left, top, width, height = each["bbox"]
            if each["score"] >= least and width > 0 and height > 0:
                right, bottom = round(left + width, DIGITS), round(top + height, DIGITS)
                found.append(Annotation((left, top, right, bottom), each["class"], number=each["score"]))
        return found
