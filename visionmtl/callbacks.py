"""What watches a training: history, checkpoints, TensorBoard and sample predictions."""

import contextlib
import csv
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from visionmtl import drawing
from visionmtl.errors import UsageError

READABLE_SIDE = 384  # pictures are enlarged towards this many pixels before labels are drawn on them
DRAWN_FIRST = ("depth", "segmentation", "detection")  # masks lie under boxes, boxes under captions


class LearningRate(keras.callbacks.Callback):
    """Add `learning_rate` to the logs, whatever schedule it follows; put it before the callbacks that read logs."""

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))


class Shares(keras.callbacks.Callback):
    """Add what an epoch took of several sources to its logs, and tell the sources of its losses; put it before those
    that read logs.

    The logs are `share/<source>` and `labelled/<task>`, the share of the epoch's samples that is labelled for a task.

    Args:
        datasets: has `report` and `observe`, as `pipelines.Datasets`.
        history: rows of the epochs before, of a training that is resumed.
    """

    def __init__(self, datasets: Any, history: Iterable[Mapping[str, float]] = ()):
        super().__init__()
        self.datasets = datasets
        for epoch, row in enumerate(history):
            datasets.observe(epoch, _task_losses(row))

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            self.datasets.observe(epoch, _task_losses(logs))
            logs.update(self.datasets.report(epoch))


def _task_losses(logs: Mapping[str, float]) -> dict[str, float]:
    """Return the training losses among logs by task."""
    names = [name for name in logs if name.endswith("_loss") and not name.startswith("val_")]
    return {name.removesuffix("_loss"): logs[name] for name in names}


class History(keras.callbacks.Callback):
    """Write the logs of each epoch to a CSV file: `epoch` (from 1), then each log in the order of its first appearance.

    A log may appear late or now and then, as validation does: its other cells stay empty. A training that starts at
    a later epoch keeps the rows before it, so that a resumed run has one history.

    Args:
        path: the file, such as `history.csv`.
    """

    def __init__(self, path: str | Path):
        super().__init__()
        self.path = Path(path)
        self.rows: list[dict[str, Any]] = []
        self.begun = False

    def on_train_begin(self, logs=None):
        self.begun = False

    def on_epoch_begin(self, epoch, logs=None):
        if not self.begun:
            self.begun = True
            self.rows = rows_before(self.path, epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append({"epoch": epoch + 1} | {name: f"{float(value):.8g}" for name, value in (logs or {}).items()})
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with written_whole(self.path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(self.rows)


def rows_before(path: Path, epoch: int) -> list[dict[str, Any]]:
    """Return the rows of a CSV file that were written before this epoch, counted from 0; none if there is no file."""
    earlier = list(csv.DictReader(path.open(encoding="utf-8"))) if epoch and path.exists() else []
    return [row for row in earlier if int(row["epoch"]) <= epoch]


class Checkpoint(keras.callbacks.Callback):
    """Save the model after each epoch, or whenever a log improves; the file is always a whole one.

    Args:
        path: a `.keras` file.
        monitor: name of a log, higher is better; None saves every epoch. Epochs without it save nothing.
        best: value to beat from the start, of the run that is resumed.
    """

    def __init__(self, path: str | Path, monitor: str | None = None, best: float = -math.inf):
        super().__init__()
        self.path, self.monitor, self.best = Path(path), monitor, best

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor is not None:
            value = (logs or {}).get(self.monitor, math.nan)
            if not value > self.best:  # also where it is not a number
                return
            self.best = float(value)
        with written_whole(self.path) as partial:
            self.model.save(partial)


class TensorBoard(keras.callbacks.Callback):
    """Write losses, metrics, learning rate, task weights and sample predictions for TensorBoard.

    Training and validation are two runs, `train` and `validation`, whose curves share a chart: `loss/total`,
    `loss/<task>`, `metrics/<task>_<metric>`, `weight/<task>`, `learning_rate`, of several sources `share/<source>` and
    `labelled/<task>`, and the pictures `samples`, by epoch.

    Args:
        folder: where event files go.
        dataset: batches `(images, labels, weights)`; `count` pictures of it are drawn. None: no pictures.
        count: number of pictures.
        every: epochs between drawings.
    """

    def __init__(self, folder: str | Path, dataset: tf.data.Dataset | None = None, count: int = 4, every: int = 5):
        super().__init__()
        self.folder, self.dataset, self.count, self.every = Path(folder), dataset, count, every
        self.batch: tuple[Any, Any, Any] | None = None

    def on_train_begin(self, logs=None):
        self.writers = {run: tf.summary.create_file_writer(str(self.folder / run)) for run in ("train", "validation")}

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            run = "validation" if name.startswith("val_") else "train"
            with self.writers[run].as_default():
                tf.summary.scalar(_tag(name.removeprefix("val_")), value, step=epoch + 1)
        last = epoch + 1 == (self.params or {}).get("epochs")
        if self.dataset is not None and (epoch % self.every == 0 or last):
            self.batch = self.batch or pick(self.dataset, self.count)
            with self.writers["validation"].as_default():
                images = np.stack(list(strips(self.model, *self.batch)))
                tf.summary.image("samples", images, step=epoch + 1, max_outputs=self.count)
        for writer in self.writers.values():
            writer.flush()

    def on_train_end(self, logs=None):
        for writer in self.writers.values():
            writer.close()


def save_samples(model: keras.Model, folder: str | Path, dataset: tf.data.Dataset, count: int = 8) -> list[Path]:
    """Write a strip `01.png`, `02.png`, ... for each of `count` pictures of `dataset`; return the files."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, strip in enumerate(strips(model, *pick(dataset, count)), start=1):
        paths.append(folder / f"{index:02d}.png")
        Image.fromarray(strip).save(paths[-1])
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
    model: keras.Model, images: np.ndarray, labels: Mapping[str, Any], weights: Mapping[str, np.ndarray]
) -> Iterator[np.ndarray]:
    """Yield "photograph | truth | prediction" for each picture of a batch, all tasks drawn on it.

    Args:
        model: has `tasks` by name, and `predict` that returns their decoded predictions.
        images: `[B, H, W, 3]`, 0..255.
        labels: by task, as in a batch; a task that is not among them has its predictions drawn alone.
        weights: by task, `[B]`; where it is 0 the truth is unknown and not drawn.

    Yields:
        uint8 `[h, w, 3]`.
    """
    predictions = model.predict(images, batch_size=len(images), verbose=0)
    order = drawing_order(model.tasks.values())
    truths = {task.name: task.truth(labels[task.name]) for task in order if task.name in labels}
    legends = {task.name: task.colours for task in order if task.kind == "segmentation"}
    factor = max(1, round(READABLE_SIDE / min(images.shape[1:3])))
    for index, image in enumerate(np.clip(images, 0, 255).round().astype(np.uint8)):
        photograph, _ = drawing.enlarge(image, {}, factor)
        truth = prediction = photograph
        for task in order:
            if task.name in truths and weights[task.name][index] > 0:
                known = {key: value[index] for key, value in truths[task.name].items()}
                truth = task.draw(truth, drawing.enlarge(image, known, factor)[1])
            found = {key: value[index] for key, value in of_task(predictions, task.name, model.tasks).items()}
            prediction = task.draw(prediction, drawing.enlarge(image, found, factor)[1])
        yield drawing.side_by_side([photograph, truth, prediction], ["Photograph", "Truth", "Prediction"], legends)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a name to write to that becomes `path` in the end: a crash or a full disk never leaves half a file.

    Raises:
        UsageError: the file cannot be written.
    """
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise UsageError(
            f"Cannot write '{path}': {error.strerror or error}. Free some space or choose another folder."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def drawing_order(tasks: Iterable[Any]) -> list[Any]:
    """Return tasks in the order in which to draw them over each other."""
    return sorted(
        tasks, key=lambda task: DRAWN_FIRST.index(task.kind) if task.kind in DRAWN_FIRST else len(DRAWN_FIRST)
    )


def of_task(predictions: Mapping[str, Any], name: str, tasks: Iterable[str]) -> dict[str, Any]:
    """Return the predictions of one task without its prefix; another task's longer name may start the same."""
    longer = tuple(f"{other}_" for other in tasks if other != name and other.startswith(f"{name}_"))
    own = {key: value for key, value in predictions.items() if key.startswith(f"{name}_")}
    return {key.removeprefix(f"{name}_"): value for key, value in own.items() if not key.startswith(longer)}


def _tag(log: str) -> str:
    """Group a log for TensorBoard: `detection_loss` becomes `loss/detection`."""
    if log == "loss":
        return "loss/total"
    if log.endswith("_loss"):
        return f"loss/{log.removesuffix('_loss')}"
    return log if log == "learning_rate" or log.startswith(("weight/", "share/", "labelled/")) else f"metrics/{log}"
