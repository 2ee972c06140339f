"""A picture with all that was predicted on it drawn on, and the key of its colours below."""

from collections.abc import Mapping

import numpy as np

from visionmtl import drawing
from visionmtl.drawing import samples
from visionmtl.drawing.marking import marked
from visionmtl.drawing.overlays import shown
from visionmtl.prediction.confidences import Confidences
from visionmtl.prediction.network import Predictions
from visionmtl.tasks import Task

LARGEST = 4 * samples.READABLE_SIDE  # pixels of the longer side that a picture is enlarged to


def enlargement(size: tuple[int, int]) -> int:
    """Return how many times a picture of a height and width is enlarged so that labels on it can be read."""
    short, long = sorted(size)
    return max(1, min(round(samples.READABLE_SIDE / short), LARGEST // long))


def drawn(
    tasks: Mapping[str, Task], picture: np.ndarray, predictions: Predictions, confidences: Confidences
) -> np.ndarray:
    """Draw the predictions of all tasks on a picture, uint8 `[h, w, 3]`; a small one is enlarged."""
    factor = enlargement(picture.shape[:2])
    large, _ = drawing.enlarge(picture, {}, factor)
    found = {
        name: drawing.enlarge(picture, marked(predictions[name], task.classes, confidences.get(name)), factor)[1]
        for name, task in tasks.items()
    }
    return drawing.overlay(large, drawing.drawing_order(tasks.values()), found)


def overlay(
    tasks: Mapping[str, Task], picture: np.ndarray, predictions: Predictions, confidences: Confidences
) -> np.ndarray:
    """Return the same; below it what tasks say in words, and a key of the classes in it that nothing else names."""
    keys = {name: shown(task, predictions[name]) for name, task in tasks.items() if task.legend}
    colours = {name: key for name, key in keys.items() if any(key.values())}
    words = drawing.words(drawing.drawing_order(tasks.values()), predictions)
    return drawing.keyed(drawn(tasks, picture, predictions, confidences), colours, words)
