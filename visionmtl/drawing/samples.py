"""Photograph, truth and prediction side by side, for some pictures of a data set."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visionmtl import drawing
from visionmtl.drawing.marking import marked
from visionmtl.errors import UsageError
from visionmtl.files import write_picture

READABLE_SIDE = 384  # pictures are enlarged towards this many pixels before labels are drawn on them


def save_samples(
    model: keras.Model, folder: str | Path, dataset: tf.data.Dataset, count: int = 8, split: str = ""
) -> list[Path]:
    """Write a strip `01.png`, `02.png`, ... for each of `count` pictures of `dataset`; return the files.

    Each says of which split it is, where that is given.
    """
    paths = []
    for index, strip in enumerate(strips(model, *pick(dataset, count), split=split), start=1):
        paths.append(Path(folder, f"{index:02d}.png"))
        write_picture(paths[-1], strip)
    return paths


def pick(dataset: tf.data.Dataset, count: int) -> tuple[Any, Any, Any]:
    """Return `count` samples of batches `(images, labels, weights)` as NumPy arrays, always the same ones.

    They are spread over the first 64 batches, for neighbours in a data set are often frames of one film.
    """
    dataset = dataset.take(64)
    batches = max(1, int(dataset.cardinality()))
    each = -(-count // batches)  # of every batch that is used
    chosen = dataset.shard(max(1, batches // count), 0).map(
        lambda *batch: tf.nest.map_structure(lambda x: x[:each], batch)
    )
    samples = next(iter(chosen.unbatch().take(count).batch(count).as_numpy_iterator()), None)
    if samples is None:
        raise UsageError("There is no picture to draw: the data split is empty.")
    return samples


def strips(
    model: keras.Model,
    images: np.ndarray,
    labels: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    stacked: bool = False,
    split: str = "",
) -> Iterator[np.ndarray]:
    """Yield "photograph | truth | prediction" for each picture of a batch, all tasks drawn on it.

    Args:
        model: has `tasks` by name, `confidences` from which on their objects are drawn, and `predict` that returns
            their decoded predictions.
        images: `[B, H, W, 3]`, 0..255.
        labels: by task, as in a batch; a task that is not among them has its predictions drawn alone.
        weights: by task, `[B]`; where it is 0 the truth is unknown and not drawn.
        stacked: whether the three stand below each other.
        split: what the photograph is of, as its caption says; "" for nothing.

    Yields:
        uint8 `[h, w, 3]`.
    """
    predictions = model.predict(images, batch_size=len(images), verbose=0)
    order = drawing.drawing_order(model.tasks.values())
    truths = {task.name: task.truth(labels[task.name]) for task in order if task.name in labels}
    legends = {task.name: task.legend for task in order if task.legend}
    factor = max(1, round(READABLE_SIDE / min(images.shape[1:3])))
    confidences = model.confidences or {}
    for index, image in enumerate(np.clip(images, 0, 255).round().astype(np.uint8)):
        photograph, _ = drawing.enlarge(image, {}, factor)
        known, found = dict[str, Any](), dict[str, Any]()
        for task in order:
            if task.name in truths and weights[task.name][index] > 0:
                true = {key: value[index] for key, value in truths[task.name].items()}
                known[task.name] = drawing.enlarge(image, true, factor)[1]
            own = {key: value[index] for key, value in of_task(predictions, task.name, model.tasks).items()}
            own = marked(own, task.classes, confidences.get(task.name))
            found[task.name] = drawing.enlarge(image, own, factor)[1]
        tiles = [photograph, drawing.overlay(photograph, order, known), drawing.overlay(photograph, order, found)]
        captions = [f"Photograph, {split}" if split else "Photograph", "Truth", "Prediction"]
        notes = [[], drawing.words(order, known), drawing.words(order, found)]
        yield drawing.side_by_side(tiles, captions, legends, stacked, notes)


def of_task(predictions: Mapping[str, Any], name: str, tasks: Iterable[str]) -> dict[str, Any]:
    """Return the predictions of one task without its prefix; another task's longer name may start the same."""
    longer = tuple(f"{other}_" for other in tasks if other != name and other.startswith(f"{name}_"))
    own = {key: value for key, value in predictions.items() if key.startswith(f"{name}_")}
    return {key.removeprefix(f"{name}_"): value for key, value in own.items() if not key.startswith(longer)}
