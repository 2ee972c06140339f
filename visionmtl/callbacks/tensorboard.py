"""Losses, metrics, pictures and what else TensorBoard shows of a training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import keras
import tensorflow as tf

from visionmtl.board import events, names, network, overview, scores
from visionmtl.board.windows import Windows
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.drawing.samples import pick, strips
from visionmtl.drawing.strips import level


class TensorBoard(Callback):
    """Write what TensorBoard shows of a training: it opens on losses, then metrics, task by task.

    Training and validation are two runs, `train` and `validation`, whose curves share a chart. Everything is by the
    number of training steps behind. Of training there are `losses/total`, `losses/<task>` and
    `training/learning_rate` every so many steps and at the end of each epoch, the losses of a `BalancedModel` as means
    of the steps since the point before; all other logs at the end of each epoch. Validation has `losses/...`,
    `metrics/<task>/<metric>`, the pictures `pictures/samples` and `pictures/confusion/<task>`, and the precision and
    recall of each class.

    Args:
        folder: where event files go.
        dataset: batches `(images, labels, weights)`; `count` pictures of it are drawn. None: no pictures.
        count: number of pictures.
        every: epochs between drawings.
        steps: between points of the training's losses and learning rate.
        graph: whether to write the graph of a forward pass.
        histograms: whether to write, at the end of each epoch, how the values of each variable are distributed.
    """

    priority = 50
    of_chief = True

    def __init__(
        self,
        folder: str | Path,
        dataset: tf.data.Dataset | None = None,
        count: int = 4,
        every: int = 5,
        steps: int = 20,
        graph: bool = False,
        histograms: bool = False,
    ):
        super().__init__()
        self.folder, self.dataset, self.count, self.every = Path(folder), dataset, count, every
        self.steps, self.graph, self.histograms = steps, graph, histograms
        self.batch: tuple[Any, Any, Any] | None = None
        self.writers: dict[str, tf.summary.SummaryWriter] = {}
        self.windows = Windows()
        self.made, self.written, self.place = 0, 0, -1
        self.logs: Logs = None  # of the last step, where a model has no running means to be looked at
        self.run: tuple[Path, Any] | None = None

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        wanted = session.recipe.training
        if "tensorboard" not in wanted.log:
            return []
        board = cls(
            session.run / "tensorboard",
            session.datasets.validation,
            steps=wanted.log_every,
            graph=wanted.log_graph,
            histograms=wanted.log_histograms,
        )
        board.run = session.run, session.recipe
        return [board]

    def keep(self) -> Any:
        for writer in self.writers.values():
            writer.flush()
        return {"written": self.written, "seen": {name: list(seen) for name, seen in self.windows.seen.items()}}

    def go_on(self, kept: Any) -> None:
        self.written = kept["written"]
        self.windows.seen = {name: (total, count) for name, (total, count) in kept["seen"].items()}

    def on_train_begin(self, logs: Logs = None) -> None:
        self.made = self.written = events.steps_behind(self.model)
        self.writers = {run: events.writer(self.folder / run, self.made + 1) for run in ("train", "validation")}
        if self.run is not None:
            compared = _compared(self.model, self.run[1].training.monitor)
            overview.write(self.writers, *self.run, compared, self.made)
        if self.graph:
            with self.writers["train"].as_default():
                network.write_graph(self.model)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.made, self.place = events.steps_behind(self.model), -1
        self.windows.begin()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        made, self.place = batch - self.place, batch
        if getattr(getattr(self.model, "position", None), "passed", False):
            return
        self.made, self.logs = self.made + made, logs
        if self.made // self.steps > self.written // self.steps:
            self._point()

    def on_test_begin(self, logs: Logs = None) -> None:
        if self.writers:  # validation counts in the same running means
            self._point()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.made = events.steps_behind(self.model)
        known = getattr(self.model, "tasks", {})
        validated = any(name.startswith("val_") for name in logs or {})
        if not validated:
            self._point()
        for name, value in (logs or {}).items():
            tag = names.of_log(name.removeprefix("val_"), known)
            if name.startswith("val_"):
                self._scalars("validation", {tag: value})
            elif tag != f"{names.TRAINING}/learning_rate" and not tag.startswith(f"{names.LOSSES}/"):
                self._scalars("train", {tag: value})
        if epoch % self.every == 0 or epoch + 1 == (self.params or {}).get("epochs"):
            self._draw(validated)
        if self.histograms:
            with self.writers["train"].as_default():
                network.write_histograms(self.model.trainable_variables, self.made)
        for writer in self.writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        for writer in self.writers.values():
            writer.close()
        self.writers = {}

    def _point(self) -> None:
        """Write a point of the training's losses and of its learning rate, unless the step has one."""
        if self.made == self.written:
            return
        self.written = self.made
        running = getattr(self.model, "running", None)
        if running is not None:
            losses = self.windows.take({"loss": running.total} | dict(running.tasks))
        else:
            losses = dict(self.logs or {})
        tags = {names.of_log(log): value for log, value in losses.items()}
        values = {tag: value for tag, value in tags.items() if tag.startswith(f"{names.LOSSES}/")}
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        self._scalars("train", values | {f"{names.TRAINING}/learning_rate": rate})

    def _scalars(self, run: str, values: dict[str, Any]) -> None:
        with self.writers[run].as_default():
            for tag, value in values.items():
                tf.summary.scalar(tag, value, step=self.made)

    def _draw(self, validated: bool) -> None:
        """Draw samples, and what the validation that has just ended measured."""
        with self.writers["validation"].as_default():
            if self.dataset is not None:
                self.batch = self.batch or pick(self.dataset, self.count)
                images = level(list(strips(self.model, *self.batch, stacked=True)))
                tf.summary.image(f"{names.PICTURES}/samples", images, step=self.made, max_outputs=self.count)
            for name, metrics in getattr(self.model, "task_metrics", {}).items() if validated else ():
                task = self.model.tasks[name]
                scores.write(name, task.classes, task.charts(metrics), self.made)


def _compared(model: Any, monitor: str) -> dict[str, str]:
    """Return the curves that are compared between runs, by title: what names the best epoch, and each task's metric."""
    logs = [monitor, *(f"val_{name}_{task.primary}" for name, task in model.tasks.items())]
    plain = dict.fromkeys(log.removeprefix("val_") for log in logs)
    return {log: names.of_log(log, model.tasks) for log in plain}
