"""What is told of each frame of a film: its objects, followed over frames, and what tasks say of the whole of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from visionmtl.prediction import confidences as scores
from visionmtl.prediction.asked import Options
from visionmtl.prediction.confidences import FORM, SHOWN, Confidences
from visionmtl.prediction.network import Predictions
from visionmtl.prediction.video.film import Frame
from visionmtl.prediction.video.tracks import Tracks
from visionmtl.tasks import Task


class Telling:
    """Tells of the frames of one film.

    Args:
        tasks: of the model, by name.
        confidences: from which score on objects count; a task without counts those of 0.3 on.
        size: height and width of the frames.
        out: the folder of predictions.
        name: of the film there.
        options: whether objects are followed, and whether masks and depth are written.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        confidences: Confidences,
        size: tuple[int, int],
        out: Path,
        name: str,
        options: Options,
    ):
        self.tasks, self.confidences, self.out, self.name, self.options = tasks, confidences, out, name, options
        self.tracks: dict[str, Tracks] = {}
        for key, task in tasks.items():
            if task.annotates and options.smooth:
                least = confidences.get(key) or dict.fromkeys(task.classes, SHOWN)
                self.tracks[key] = Tracks(np.array([least[each] for each in task.classes]), size)

    def followed(self, frame: Frame, predictions: Predictions) -> Predictions:
        """Return predictions of a frame with the objects that are followed in place of those found in it alone.

        A task of one's own, whose predictions have another form, keeps its own.
        """
        followed = dict(predictions)
        for name, tracks in self.tracks.items():
            if set(predictions[name]) == FORM:
                told = tracks.follow(predictions[name], frame.seconds)
                followed[name] = told | {"shown": np.ones(len(told["scores"]), bool)}
        return followed

    def line(self, frame: Frame, predictions: Predictions) -> bytes:
        """Return what is recorded of a frame; write what is no JSON, if that is asked for."""
        told, objects = dict[str, Any](), dict[str, list[dict[str, Any]]]()
        picture = f"{self.name}/{frame.number:06d}"
        for key, task in self.tasks.items():
            if self.options.maps or not task.maps:
                described = task.describe(predictions[key], self.out, picture)
                told |= {} if described is None else {key: described}
            if task.annotates:
                objects[key] = self._objects(key, task, predictions[key])
        record = {"frame": frame.number, "seconds": round(frame.seconds, 6), "predictions": told, "objects": objects}
        return json.dumps(record).encode() + b"\n"

    def _objects(self, name: str, task: Task, found: Mapping[str, Any]) -> list[dict[str, Any]]:
        if "tracks" not in found:
            each = scores.counted(task, found, self.confidences.get(name))
            return [one | {"class": task.classes[one["class"]]} for one in each]
        numbers = zip(found["tracks"].tolist(), found["found"].tolist(), strict=True)
        return [
            one | {"class": task.classes[one["class"]], "track": track, "found": seen}
            for one, (track, seen) in zip(task.annotations(found), numbers, strict=True)
        ]
