"""The key of colours below a film's frames, of one height throughout."""

from collections.abc import Mapping

import numpy as np

from visionmtl import drawing
from visionmtl.drawing.overlays import key, shown
from visionmtl.drawing.text import text_size
from visionmtl.prediction.network import Predictions
from visionmtl.tasks import Task

PART = 3  # of a frame's height, that the key has at most one of


class Key:
    """All classes where a third of a frame's height is enough for them; else those of each frame, as far as they fit.

    Args:
        tasks: of the model, by name.
    """

    def __init__(self, tasks: Mapping[str, Task]):
        self.tasks = {name: task for name, task in tasks.items() if task.legend}

    def below(self, image: np.ndarray, predictions: Predictions) -> np.ndarray:
        """Return a frame with its key."""
        if not self.tasks:
            return image
        legends = {name: task.legend for name, task in self.tasks.items()}
        whole = key(image.shape[1], text_size(image), legends)
        most = image.shape[0] // PART
        if whole.shape[0] > most:
            legends = {name: shown(task, predictions[name]) for name, task in self.tasks.items()}
        wide = np.pad(image, ((0, 0), (0, whole.shape[1] - image.shape[1]), (0, 0)), constant_values=255)
        return drawing.keyed(wide, legends, min(most, whole.shape[0]))
