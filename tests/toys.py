"""Toys that all tests build with: a backbone of three convolutions, tasks of every kind, and a batch for any tasks."""

from collections.abc import Collection, Iterable
from typing import Any

import keras
import numpy as np

from visionmtl import MultiTaskModel
from visionmtl.tasks import Classification, Depth, Detection, Segmentation, Task

SIZE = 32
MAKERS = {
    "scene": lambda name: Classification(name, ["indoor", "outdoor", "other"]),
    "objects": lambda name: Detection(name, ["cat", "dog"]),
    "ground": lambda name: Segmentation(name, 3),
    "weather": lambda name: Classification(name, 4, multi_label=True),
    "range": lambda name: Depth(name),
}


def backbone(channels: int = 8, size: int = SIZE) -> keras.Model:
    """Return a backbone of a few thousand parameters, with maps of strides 4 and 8."""
    image = x = keras.Input((size, size, 3), name="image")
    x = keras.layers.Rescaling(1 / 128, offset=-1, name="normalise")(x)
    features = {}
    for level in range(1, 4):
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False, name=f"convolution_{level}")(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"normalisation_{level}")(x)
        x = keras.layers.ReLU(name=f"relu_{level}")(x)
        if level > 1:
            features[f"P{level}"] = x
    return keras.Model(image, features, name="toy")


def task(toy: str, name: str | None = None) -> Task:
    """Return a new toy task: "scene" (classes), "objects" (boxes), "ground" (masks), or another of `MAKERS`.

    Args:
        toy: Which.
        name: What it is called; as the toy where that is None.
    """
    return MAKERS[toy](name or toy)


def tasks(*names: str) -> list[Task]:
    """Return new toy tasks; "scene", "objects" and "ground" where none is named."""
    return [task(name) for name in names or ("scene", "objects", "ground")]


def model(of: Iterable[Task] | None = None, **options: Any) -> MultiTaskModel:
    """Return a model of some tasks, or the three of `tasks()`, on the toy backbone; the same weights in every call."""
    keras.utils.set_random_seed(0)
    options = {"backbone": backbone(), "image_shape": (SIZE, SIZE, 3), "neck": {"channels": 8}} | options
    return MultiTaskModel(tasks() if of is None else list(of), **options)


def batch(
    of: Iterable[Task] | None = None,
    images: int = 4,
    size: int = SIZE,
    seed: int = 0,
    missing: Collection[str] = (),
) -> tuple[np.ndarray, dict[str, Any], dict[str, np.ndarray]]:
    """Return random images, labels and weights for some tasks, as a pipeline yields them.

    Args:
        of: The tasks; the three of `tasks()` where none are given.
        images: How many.
        size: Height and width of the images in pixels.
        seed: Of the random numbers; what a task is given depends on it and on the tasks before.
        missing: Names of tasks without labels: their weights are 0, and what stands for labels must count nowhere.

    Returns:
        Images float32 `[B, H, W, 3]` in 0..255, labels by task, and weights `[B]` of 1 or 0 by task.
    """
    random = np.random.default_rng(seed)
    chosen = tasks() if of is None else of
    labels = {each.name: labels_of(each, images, size, random) for each in chosen}
    weights = {name: np.full(images, float(name not in missing), "float32") for name in labels}
    return random.integers(0, 256, (images, size, size, 3)).astype("float32"), labels, weights


def labels_of(of: Task, images: int, size: int, random: np.random.Generator) -> Any:
    """Return random labels of a task, by its kind.

    Raises:
        KeyError: Nobody said what the labels of this kind look like.
    """
    return LABELS[of.kind](len(of.classes), images, size, random)


def _objects(classes: int, images: int, size: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Two objects an image, and a row of padding."""
    corner = random.uniform(0, size * 0.47, (images, 3, 2))
    boxes = np.concatenate([corner, corner + random.uniform(6, size / 2, (images, 3, 2))], axis=-1).astype("float32")
    numbers = random.integers(0, classes, (images, 3)).astype("int32")
    boxes[:, 2], numbers[:, 2] = 0, -1
    return {"boxes": boxes, "classes": numbers}


LABELS = {
    "classification": lambda classes, images, size, random: random.integers(0, classes, images).astype("int32"),
    "multi_label": lambda classes, images, size, random: random.integers(0, 2, (images, classes)).astype("float32"),
    "detection": _objects,
    "segmentation": lambda classes, images, size, random: random.integers(0, classes, (images, size, size)).astype(
        "int32"
    ),
    "depth": lambda classes, images, size, random: random.uniform(0.5, 10, (images, size, size)).astype("float32"),
}
