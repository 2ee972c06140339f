"""What every task is: a head, a loss, a decoder, metrics and a drawing, under one name."""

from collections.abc import Iterable
from typing import ClassVar

import keras
import numpy as np

from visionmtl import drawing
from visionmtl.errors import UsageError


def class_names(classes: int | list[str] | tuple[str, ...], task: str) -> tuple[str, ...]:
    """Return the names of classes given as a count or as names.

    Raises:
        UsageError: no class, or a name given twice.
    """
    names = tuple(str(i) for i in range(classes)) if isinstance(classes, int) else tuple(str(name) for name in classes)
    if not names:
        raise UsageError(f"Task '{task}' was given no class: give a count of at least 1 or a list of names.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"Task '{task}' was given class '{twice[0]}' twice: names of classes must differ.")
    return names


def share_colours(tasks: Iterable["Task"]) -> None:
    """Give a class that several tasks know by one name one colour in all their drawings."""
    tasks = list(tasks)
    names = dict.fromkeys(name for task in sorted(tasks, key=lambda task: -len(task.classes)) for name in task.classes)
    colours = drawing.colours(list(names))
    for task in tasks:
        task.colours = {name: colours[name] for name in task.classes}


class Task:
    """One thing to predict from an image. A new task is one file with a subclass, and one line in the registry.

    Args:
        name: prefix of its outputs, losses and metrics; a valid Python identifier.
        classes: how many classes, or their names; None for a task that has none.
        dropout: share of the features dropped before the last layer in training.
        label_smoothing: how much of a target's certainty is spread over the other classes, 0..1.

    Attributes:
        kind: the kind of its labels, as in `pipelines.LabelSpec`.
        primary: the metric that stands for the task in `val_score`; up is better, in 0..1.
        regression: whether it learns quantities instead of classes, which the uncertainty weighting must know.
        rank: 0 where it speaks of pixels, 1 of objects, 2 of the whole image; the order in which tasks read each other.
        maps: its predictions that have a value for every pixel, and the value that stands for "no pixel".
        colours: in which its classes are drawn; tasks of one model draw a class that they share in one colour.
    """

    kind: str
    primary: str
    regression: bool = False
    rank: int = 2
    maps: ClassVar[dict[str, float]] = {}

    def __init__(self, name: str, classes, dropout: float = 0.0, label_smoothing: float = 0.0):
        if not str(name).isidentifier():
            raise UsageError(f"'{name}' cannot name a task: use letters, digits and underscores, such as 'road_signs'.")
        for value, what in ((dropout, "dropout"), (label_smoothing, "label_smoothing")):
            if not 0 <= value < 1:
                raise UsageError(f"Task '{name}' was given {what}={value}: expected a number from 0 up to 1.")
        self.name, self.classes = name, () if classes is None else class_names(classes, name)
        self.colours = drawing.colours(self.classes)
        self.dropout, self.label_smoothing = float(dropout), float(label_smoothing)

    def outputs(self, features: dict) -> dict:
        """Build the head on maps `{"P2": [B, H / 4, W / 4, C], ...}` and return its raw output tensors by name."""
        raise NotImplementedError

    def evidence(self, outputs: dict) -> dict:
        """Return what another task may read of the raw outputs, as symbolic tensors in 0..1 or thereabouts.

        Returns:
            By level such as "P2", a map of that level; or under "" one tensor for all levels, `[B, C]` or a map
            `[B, h, w, C]` of any size.
        """
        raise NotImplementedError

    def loss(self, labels, outputs: dict):
        """Return the loss of each sample `[B]`, not yet weighted, from labels of DESIGN's batch and raw outputs."""
        raise NotImplementedError

    def decode(self, outputs: dict, image_size, window=None) -> dict:
        """Return predictions from raw outputs.

        Args:
            image_size: height and width of the picture the predictions refer to, in pixels.
            window: y0, x0, y1, x1 of that picture as fractions of the network's input; None for the whole.
        """
        raise NotImplementedError

    def metrics(self) -> list:
        """Return new metrics of this task."""
        raise NotImplementedError

    def truth(self, labels) -> dict[str, np.ndarray]:
        """Return a batch's labels as NumPy arrays in the form of `decode`'s predictions."""
        raise NotImplementedError

    def draw(self, image: np.ndarray, predictions: dict[str, np.ndarray]) -> np.ndarray:
        """Return a copy of an image, uint8 `[H, W, 3]`, with the predictions for it drawn on."""
        raise NotImplementedError

    def get_config(self) -> dict:
        """Return the arguments that make this task again."""
        return {
            "name": self.name,
            "classes": list(self.classes),
            "dropout": self.dropout,
            "label_smoothing": self.label_smoothing,
        }

    @classmethod
    def from_config(cls, config: dict) -> "Task":
        """Return the task that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self.name}', {len(self.classes)} classes)"

    def dropped(self, x):
        """Return features with this task's dropout, if any."""
        return keras.layers.Dropout(self.dropout, name=f"{self.name}_dropout")(x) if self.dropout else x
