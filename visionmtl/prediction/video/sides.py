"""On which side of its box the label of each object of a film stands: where it stood, while there is room for it."""

from collections.abc import Mapping

import numpy as np

from visionmtl.drawing import tags
from visionmtl.drawing.text import size_at
from visionmtl.prediction.network import Predictions
from visionmtl.prediction.overlays import enlargement
from visionmtl.tasks import Task
from visionmtl.tasks.boxes import covered


class Sides:
    """Labels of the objects of one film.

    Args:
        tasks: of the model, by name.
        size: height and width of the frames.
    """

    def __init__(self, tasks: Mapping[str, Task], size: tuple[int, int]):
        self.tasks, self.factor = tasks, enlargement(size)
        self.size = size[0] * self.factor, size[1] * self.factor
        self.stood: dict[str, dict[int, int]] = {}

    def kept(self, predictions: Predictions) -> Predictions:
        """Return predictions of the next frame with `sides` `[N]` of each task whose objects are followed."""
        return {
            name: found | {"sides": self._placed(name, found)} if "tracks" in found else found
            for name, found in predictions.items()
        }

    def _placed(self, name: str, found: Mapping[str, np.ndarray]) -> np.ndarray:
        rows = np.flatnonzero(found["shown"])
        rows = rows[~covered(found["boxes"][rows])]
        stood, numbers = self.stood.get(name, {}), found["tracks"]
        before = np.array([stood.get(int(number), -1) for number in numbers[rows]], int)
        words = tags.texts(found["classes"][rows], self.tasks[name].colours, found["scores"][rows])
        boxes = found["boxes"][rows] * self.factor
        placed = tags.placed(boxes, words, self.size[::-1], size_at(self.size), before)
        self.stood[name] = {
            int(number): tag.side for number, tag in zip(numbers[rows], placed, strict=True) if tag is not None
        }
        sides = np.full(len(numbers), -1)
        sides[rows] = [-1 if tag is None else tag.side for tag in placed]
        return sides
