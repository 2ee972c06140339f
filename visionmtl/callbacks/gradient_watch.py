"""GradientWatch: what the gradients of the tasks do to each other, written down while a model trains."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from visionmtl import csvfile, drawing
from visionmtl.board import events, names
from visionmtl.callbacks.callback import Callback, Logs, Session


class GradientWatch(Callback):
    """Write how the tasks' gradients lie to each other, to a CSV file and to TensorBoard, every so many steps.

    It works with every balancer. One that compares gradients itself is read, in its scope; for any other the gradients
    by the parameters of the last layers that all tasks share are compared in that step, for the price of a backward
    pass a task through these layers and the heads. No update depends on being watched.

    The columns, by the number of the step from 0, and the scalars `weights_and_gradients/...` of the run `gradients`,
    by the number of steps behind: `conflicts`, the fraction of the epoch's comparisons in which two tasks pulled
    against each other; `weight/<task>`; `norm/<task>`, the length of the gradient of the task's mean loss;
    `cosine/<task>/<task>` for each pair. The picture `pictures/cosines` is the whole matrix, at the last look of an
    epoch. A task without labels in the batch has an empty cell.

    Args:
        path: the CSV file, such as `gradients.csv`; a training that starts at a later step keeps the rows before it.
            None for a worker that computes with the chief, which writes.
        folder: where event files go; None for no TensorBoard.
        every: steps from one look to the next; the first is at the end of as many.

    Example:
        >>> history = model.fit(dataset, callbacks=[GradientWatch("gradients.csv", "tensorboard", every=50)])
    """

    priority = 60

    def __init__(self, path: str | Path | None, folder: str | Path | None = None, every: int = 50):
        super().__init__()
        self.path, self.folder, self.every = None if path is None else Path(path), folder, every
        self.rows = None if self.path is None else csvfile.Growing(self.path, ["step"])
        self.writer = None
        self.last: tuple[int, Any] | None = None  # steps behind at the last look and the cosines in it, undrawn

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        every = session.recipe.balancing.watch
        if every is None or len(session.model.tasks) < 2:
            return []
        if not session.workers.is_chief:
            return [cls(None, None, every)]
        return [cls(session.run / "gradients.csv", session.run / "tensorboard", every)]

    def on_train_begin(self, logs: Logs = None) -> None:
        behind = self.model.steps_behind
        if self.rows is not None:
            self.rows.begin(csvfile.rows_before(self.rows.path, "step", behind))
        total = (self.params or {}).get("epochs", 0) * ((self.params or {}).get("steps") or 0)
        self.pace = min(self.every, total or self.every)  # a training of fewer steps is looked at in its last
        self.model.conflicts.watch(self.pace)
        self.due = self._due_after(behind)
        if self.folder is not None:
            self.writer = events.writer(Path(self.folder) / "gradients", behind + 1)

    def _due_after(self, behind: int) -> int:
        """Return the number of the next step to look at, the last of each `every`, once some are behind."""
        return behind // self.pace * self.pace + self.pace - 1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        step = self.model.conflicts.step
        if self.rows is None or step is None or step < self.due:
            return
        self.due = self._due_after(step + 1)
        seen, tasks = self.model.conflicts.read(), self.model.task_names
        row = {"conflicts": float(seen["conflicts"])}
        row |= {f"weight/{task}": float(value) for task, value in zip(tasks, seen["weights"], strict=True)}
        row |= {f"norm/{task}": float(value) for task, value in zip(tasks, seen["norms"], strict=True)}
        for first, second in itertools.combinations(range(len(tasks)), 2):
            row[f"cosine/{tasks[first]}/{tasks[second]}"] = float(seen["cosines"][first, second])
        row = {name: value for name, value in row.items() if math.isfinite(value)}
        self.rows.add({"step": step} | {name: f"{value:.6g}" for name, value in row.items()})
        if self.writer is not None:
            with self.writer.as_default():
                for name, value in row.items():
                    tf.summary.scalar(f"{names.GRADIENTS}/{name}", value, step=step + 1)
            self.last = step + 1, seen["cosines"]

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.keep()

    def keep(self) -> None:
        if self.writer is not None:
            if self.last is not None:
                step, cosines = self.last
                with self.writer.as_default():
                    picture = drawing.matrix(cosines, self.model.task_names)
                    tf.summary.image(f"{names.PICTURES}/cosines", picture[None], step=step)
                self.last = None
            self.writer.flush()
        if self.rows is not None:
            self.rows.write()

    def on_train_end(self, logs: Logs = None) -> None:
        self.model.conflicts.watch(None)
        if self.writer is not None:
            self.writer.close()
