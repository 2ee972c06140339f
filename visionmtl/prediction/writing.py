"""All that is written of one picture: its masks, its overlay, its place in a data set, and the record of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visionmtl.files import write_png
from visionmtl.model import MultiTaskModel
from visionmtl.prediction import confidences as scores
from visionmtl.prediction.confidences import Confidences
from visionmtl.prediction.formats.format import DataSet
from visionmtl.prediction.network import Predictions
from visionmtl.prediction.overlays import overlay
from visionmtl.prediction.reading import Sample
from visionmtl.prediction.wanted import Wanted
from visionmtl.tasks import Task

OVERLAYS = "overlays"


def said(
    tasks: Mapping[str, Task], predictions: Predictions, confidences: Confidences, folder: Path, name: str
) -> dict[str, Any]:
    """Write what was predicted on a picture and is no JSON, and return what its record says of that and the rest.

    Args:
        tasks: of the model, by name.
        predictions: by task.
        confidences: from which score on objects count.
        folder: where to.
        name: of the picture.
    """
    told, objects = dict[str, Any](), dict[str, list]()
    for key, task in tasks.items():
        if (described := task.describe(predictions[key], folder, name)) is not None:
            told[key] = described
        if task.annotates:
            found = scores.counted(task, predictions[key], confidences.get(key))
            objects[key] = [each | {"class": task.classes[each["class"]]} for each in found]
    return {"predictions": told, "objects": objects}


@dataclass(frozen=True)
class Writing:
    """Writes what was predicted; several pictures at once, by as many threads.

    Attributes:
        model: that predicted.
        wanted: the pictures.
        out: the folder.
        confidences: from which score on objects count.
        overlays: of how many pictures an overlay is drawn, the first ones; None for all.
        data_set: of the format asked for, or None.
    """

    model: MultiTaskModel
    wanted: Wanted
    out: Path
    confidences: Confidences
    overlays: int | None = None
    data_set: DataSet | None = None

    def draws(self, place: int) -> bool:
        """Whether a picture gets an overlay."""
        return self.overlays is None or place < self.overlays

    def keeps(self, place: int) -> bool:
        """Whether a picture's own pixels are needed."""
        return self.draws(place) or self._is_redrawn(place)

    def _is_redrawn(self, place: int) -> bool:
        """Whether the picture is written anew into the data set, whose format takes no copy of the file."""
        return self.data_set is not None and not self.data_set.copies(self.wanted.copies[place])

    def unreadable(self, place: int, why: str) -> dict[str, Any]:
        """Return the record of a picture that cannot be read."""
        return self._begun(place) | {"error": why}

    def write(self, sample: Sample, predictions: Predictions) -> dict[str, Any]:
        """Write what was predicted of one picture, and return its record."""
        place, name = sample.place, self.wanted.names[sample.place]
        record = self._begun(place) | {"width": sample.size[1], "height": sample.size[0]}
        record |= said(self.model.tasks, predictions, self.confidences, self.out, name)
        if self.draws(place):
            path = Path(OVERLAYS, f"{name}.png")
            write_png(self.out / path, overlay(self.model.tasks, sample.pixels, predictions, self.confidences))
            record["overlay"] = path.as_posix()
        if self.data_set:
            pixels = sample.pixels if self._is_redrawn(place) else None
            record["picture"] = self.data_set.put(name, self.wanted.copies[place], pixels, predictions)
        return record

    def is_whole(self, record: Mapping[str, Any]) -> bool:
        """Whether the files that a record names are all there, as after a loss of power they need not be."""
        named = [record.get("overlay"), *record.get("predictions", {}).values()]
        paths = [self.out / name for name in named if isinstance(name, str) and Path(name).suffix]
        return all(path.is_file() and path.stat().st_size for path in paths)

    def _begun(self, place: int) -> dict[str, Any]:
        wanted = self.wanted
        ids = {"number": place + 1, "image_id": wanted.ids.images[place]}
        return ids | {"file_name": wanted.files[place], "name": wanted.names[place]}
