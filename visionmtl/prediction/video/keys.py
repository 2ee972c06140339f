"""What stands below a film's frames, of one height throughout: what tasks say in words, and the key of colours."""

from collections.abc import Mapping

import numpy as np

from visionmtl import drawing
from visionmtl.drawing import overlays
from visionmtl.drawing.text import cut, text_size
from visionmtl.prediction.network import Predictions
from visionmtl.tasks import Task

PART = 3  # of a frame's height, that the key of colours has at most one of


class Key:
    """A line of each task that speaks in words, cut where it is too long, then all classes with their colours.

    Of these there are those of each frame, as far as they fit, where a third of its height is not enough for all.

    Args:
        tasks: of the model, by name.
    """

    def __init__(self, tasks: Mapping[str, Task]):
        self.order = drawing.drawing_order(tasks.values())
        self.tasks = {name: task for name, task in tasks.items() if task.legend}

    def below(self, image: np.ndarray, predictions: Predictions) -> np.ndarray:
        """Return a frame with its key."""
        size = text_size(image)
        legends = {name: task.legend for name, task in self.tasks.items()}
        whole = overlays.key(image.shape[1], size, legends)
        width, most = whole.shape[1], image.shape[0] // PART
        words = [cut(line, width - size, size) for line in drawing.words(self.order, predictions)]
        told = overlays.key(width, size, {}, words)
        if whole.shape[0] > most:
            shown = {name: overlays.shown(task, predictions[name]) for name, task in self.tasks.items()}
            keys = overlays.key(width, size, shown)[:most]
            whole = np.pad(keys, ((0, most - len(keys)), (0, 0), (0, 0)), constant_values=255)
        return overlays.below(image, np.concatenate([told, whole])) if len(told) + len(whole) else image
