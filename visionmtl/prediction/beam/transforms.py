"""The transforms: pictures into records, with the files that these name; records into files that can be joined."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from visionmtl.errors import UsageError
from visionmtl.prediction.beam import storage
from visionmtl.prediction.beam.exported import Exported
from visionmtl.prediction.beam.needed import DoFn, PTransform, RunInference, beam, check
from visionmtl.prediction.beam.picture import Picture
from visionmtl.prediction.beam.served import Served
from visionmtl.prediction.confidences import Asked, Confidences
from visionmtl.prediction.places import Shard
from visionmtl.prediction.writing import said
from visionmtl.tasks import Task

Record = dict[str, Any]


class Predict(PTransform):
    """Predicts on pictures by an exported model: a record of each, as a line of `predictions.jsonl` has it.

    Pictures are `Picture`s, paths, or pairs of a path and the bytes of the file. What a record names, masks and depth,
    is written beneath `out` before the record is given, under the name of the picture, whole or not at all: a picture
    that is done twice, since a worker died or was slow, is written over by the same.

    Args:
        export: the folder of an exported SavedModel, or that of its versions, of which the last is taken.
        out: the folder to write masks and depth to; a path that all workers have, or a URL as "gs://bucket/predictions".
        confidence: from which score on objects count: a number, or numbers by class; None for what the export says.
        batch_size: the most pictures at once; the larger ones of a batch set its memory.

    Raises:
        UsageError: Beam is not installed, there is no such export, or the confidence is none.

    Example:
        >>> paths | Predict("saved_models/street", "gs://bucket/predictions") | beam.Map(json.dumps)  # doctest: +SKIP
    """

    def __init__(self, export: str | Path, out: str | Path, confidence: Asked = None, batch_size: int = 8):
        check()
        super().__init__()
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}: expected a number of pictures, 1 or more.")
        self.exported, self.out, self.batch_size = Exported.read(str(export)), str(out), batch_size
        self.confidences = self.exported.chosen(confidence)
        self.least = None if confidence is None else _least(self.exported.tasks, self.confidences)

    def expand(self, pictures: Any) -> Any:
        tasks = self.exported.tasks
        handler = Served(self.exported.version, tasks, self.least, self.batch_size)
        return (
            pictures
            | "Pictures" >> beam.Map(Picture.of)
            | "Predictions" >> RunInference(handler)
            | "Records" >> beam.ParDo(Recording(tasks, self.out, self.confidences))
        )


def _least(tasks: Mapping[str, Task], confidences: Confidences) -> float:
    """Return the least score of any class, from which on an export is to tell objects."""
    finders = [name for name, task in tasks.items() if task.annotates]
    return min(number for name in finders for number in confidences.get(name, {"": 0.0}).values())


class Recording(DoFn):
    """Writes what was predicted on a picture, and gives the record of it."""

    def __init__(self, tasks: Mapping[str, Task], out: str, confidences: Confidences):
        self.tasks, self.out, self.confidences = tasks, out, confidences

    def process(self, result: Any) -> Iterator[Record]:
        picture, answer = result.example, result.inference
        if "error" in answer:
            beam.metrics.Metrics.counter("visionmtl", "unreadable").inc()
            yield picture.begun | {"error": answer["error"]}
            return
        height, width = answer["size"]
        with TemporaryDirectory() as place:
            told = said(self.tasks, answer["predictions"], self.confidences, Path(place), picture.name)
            for path in sorted(Path(place).rglob("*")):
                if path.is_file():
                    name = path.relative_to(place).as_posix()
                    storage.write(storage.joined(self.out, name), path.read_bytes())
        yield picture.begun | {"width": width, "height": height} | told


class Write(PTransform):
    """Writes the records of numbered pictures to `predictions-1-of-<shards>.jsonl` and so on; gives their paths.

    Each file is written whole, by one worker, from all of its records: what of these was done twice is there once.

    Args:
        out: the folder, or a URL.
        shards: how many files.
    """

    def __init__(self, out: str | Path, shards: int):
        check()
        super().__init__()
        self.out, self.shards = str(out), shards

    def expand(self, records: Any) -> Any:
        return (
            records
            | "By shard" >> beam.Map(self._placed)
            | "Shards" >> beam.GroupByKey()
            | "Files" >> beam.MapTuple(self._written)
        )

    def _placed(self, record: Record) -> tuple[int, str]:
        if "number" not in record:
            raise UsageError(f"'{record['file_name']}' has no number, by which it would have a place: give `Picture`s.")
        return (record["number"] - 1) % self.shards + 1, json.dumps(record)

    def _written(self, number: int, lines: Iterable[str]) -> str:
        path = storage.joined(self.out, Shard(number, self.shards).records)
        with storage.written(path) as file:
            for line in lines:
                file.write(line.encode() + b"\n")
        return path
