"""Losses, metrics, weights and sample predictions for TensorBoard."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import tensorflow as tf

from visionmtl.callbacks import events
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.drawing.samples import pick, strips


class TensorBoard(Callback):
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

    priority = 50
    of_chief = True

    def __init__(self, folder: str | Path, dataset: tf.data.Dataset | None = None, count: int = 4, every: int = 5):
        super().__init__()
        self.folder, self.dataset, self.count, self.every = Path(folder), dataset, count, every
        self.batch: tuple[Any, Any, Any] | None = None
        self.writers: dict[str, tf.summary.SummaryWriter] = {}

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.run / "tensorboard", session.datasets.validation)]

    def on_train_begin(self, logs: Logs = None) -> None:
        self.writers.clear()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if not self.writers:
            self.writers = {run: events.writer(self.folder / run, epoch + 1) for run in ("train", "validation")}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
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

    def on_train_end(self, logs: Logs = None) -> None:
        for writer in self.writers.values():
            writer.close()


def _tag(log: str) -> str:
    """Group a log for TensorBoard: `detection_loss` becomes `loss/detection`."""
    if log == "loss":
        return "loss/total"
    if log.endswith("_loss"):
        return f"loss/{log.removesuffix('_loss')}"
    return log if log == "learning_rate" or log.startswith(("weight/", "share/", "labelled/")) else f"metrics/{log}"
