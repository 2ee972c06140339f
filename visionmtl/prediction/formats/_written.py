"""Formats that `data convert` writes too: pictures and masks as they come, labels by its writer in the end."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pipelines.writers.base import Content, Picture, Writer
from pipelines.writers.naming import APART
from visionmtl.prediction.confidences import Confidences
from visionmtl.prediction.formats.format import DataSet, Record, Records
from visionmtl.prediction.network import Predictions
from visionmtl.tasks import Task


class Written(DataSet):
    """What a writer of `pipelines` writes.

    Attributes:
        writer: its class.
    """

    holds = ("detection", "segmentation")
    writer: ClassVar[type[Writer]]

    def __init__(self, root: Path, tasks: Mapping[str, Task], split: str, confidences: Confidences, link: bool):
        super().__init__(root, tasks, split, confidences, link)
        boxes, masks = self.task("detection"), self.task("segmentation")
        content = Content(boxes.classes if boxes else None, masks.classes if masks else None)
        self.writing = self.writer(root, content)

    def folder(self) -> Path:
        return self.writing.pictures(self.split)

    def copies(self, file: Path | None) -> bool:
        known = self.writing.suffixes
        return file is not None and (known is None or file.suffix.lower() in known)

    def stem(self, name: str) -> str:
        *above, own = name.split("/")
        return "/".join([*(f"{part}_" if part in APART else part for part in above), own])

    def put(self, name: str, file: Path | None, pixels: np.ndarray | None, predictions: Predictions) -> str:
        masks, folder = self.task("segmentation"), self.writing.masks(self.split)
        if masks and folder:
            values = predictions[masks.name]["classes"].astype(np.uint8)
            self.writing.mask(values, folder / f"{self.stem(name)}.png")
        return super().put(name, file, pixels, predictions)

    def finish(self, records: Records) -> list[str]:
        written = _Pictures(self, records)
        self.writing.write(self.split, written)
        self.writing.finish({self.split: written})
        return [f"{count:,} {rule}" for rule, count in self.writing.rules.items() if count]


class _Pictures(Sequence[Picture]):
    """The pictures as writers take them, made of their records each time they are gone through."""

    def __init__(self, of: DataSet, records: Records):
        self.of, self.records = of, records

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Picture]:
        return map(self._picture, self.records)

    def __getitem__(self, place: Any) -> Any:
        return list(self)[place]

    def _picture(self, record: Record) -> Picture:
        boxes = self.of.task("detection")
        objects = self.of.objects(record, boxes) if boxes else None
        shape = record["height"], record["width"]
        return Picture(record["picture"], shape, objects, self.of.task("segmentation") is not None)
