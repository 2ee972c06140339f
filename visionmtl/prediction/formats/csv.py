"""CSV: a table for each task, of a row for each box or for each picture."""

import csv
from collections.abc import Iterator
from pathlib import Path

from visionmtl.files import written_whole
from visionmtl.prediction.formats.format import DataSet, Records
from visionmtl.tasks import Task

PRESENT = 0.5  # the probability from which on a class of many is said to be there
CORNERS = ["x_min", "y_min", "x_max", "y_max"]


class Csv(DataSet):
    """`<task>.csv` for each task of boxes or of classes of the picture, with its scores, and `images/`."""

    title = "CSV"
    holds = ("detection", "classification", "multi_label")
    several = True

    def folder(self) -> Path:
        return self.root / "images"

    def finish(self, records: Records) -> list[str]:
        ways = {"detection": self._boxes, "classification": self._classes, "multi_label": self._presence}
        for name, task in self.tasks.items():
            with (
                written_whole(self.root / f"{name}.csv") as partial,
                open(partial, "w", newline="", encoding="utf-8") as file,
            ):
                csv.writer(file, lineterminator="\n").writerows(ways[task.kind](task, records))
        return []

    def _boxes(self, task: Task, records: Records) -> Iterator[list]:
        yield ["image", *CORNERS, "label", "score"]
        for record in records:
            found = self.objects(record, task)
            yield from ([record["picture"], *each.box, each.category, each.number] for each in found)
            if not found:  # a row whose box is empty is an image without objects
                yield [record["picture"], *[""] * 6]

    def _classes(self, task: Task, records: Records) -> Iterator[list]:
        yield ["image", "label", "score"]
        for record in records:
            told = record["predictions"][task.name]
            best = max(told, key=told.__getitem__)
            yield [record["picture"], best, told[best]]

    def _presence(self, task: Task, records: Records) -> Iterator[list]:
        yield ["image", *task.classes]
        for record in records:
            told = record["predictions"][task.name]
            yield [record["picture"], *(int(told[name] >= PRESENT) for name in task.classes)]
