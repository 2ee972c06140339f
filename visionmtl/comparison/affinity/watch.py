"""AffinityWatch: looks at a training every so many steps, and once more at its end, for how its tasks get on."""

import collections
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl.callbacks.callback import Callback, Logs
from visionmtl.comparison.affinity.linearised import Sketches
from visionmtl.comparison.affinity.look import DIRECTIONS, Look, Seen
from visionmtl.comparison.affinity.pace import Pace
from visionmtl.comparison.affinity.record import Record
from visionmtl.comparison.affinity.scores import array, listed
from visionmtl.errors import UsageError

KEPT = 32  # last batches, at most an epoch's, of which the gradients at the end are taken: no image is in two
IMAGES = 4  # of a sub-batch
SKETCHED = (24, 192)  # sub-batches, at least and at most


class AffinityWatch(Callback):
    """Looks at a training without moving it; what it saw is in `record` once the training ended.

    A look is made before a step, by the batch of the step. Looks are as many as fit into 0.3 of the training's own
    time, with the gradients at the end, and at least eight.

    Args:
        rate: learning rate of the steps that are tried.
        limit: largest norm of their gradients; None for no limit.
        total: steps of the training; None for what `fit` knows of it.
        file: where the record is written once the training ended, before its last checkpoint is; None for nowhere.

    Attributes:
        record: what was seen; None before the end.
        ratio: the time of the training to that without the looks.
        broken: looks in which the loss of a task with labels was not finite.

    Example:
        >>> watch = AffinityWatch(1e-3)  # doctest: +SKIP
        >>> history = model.fit(dataset, epochs=5, callbacks=[watch])  # doctest: +SKIP
    """

    priority = 55

    def __init__(
        self, rate: float, limit: float | None = None, total: int | None = None, file: str | Path | None = None
    ):
        super().__init__()
        self.rate, self.limit, self.total, self.file = rate, limit, total, file
        self.record: Record | None = None
        self.ratio, self.broken = 1.0, 0

    def on_train_begin(self, logs: Logs = None) -> None:
        replicas = self.model.distribute_strategy.num_replicas_in_sync
        if replicas > 1 or self.model.steps_per_execution > 1:
            raise UsageError(
                f"AffinityWatch was given to a fit on {replicas} devices with steps_per_execution="
                f"{self.model.steps_per_execution}: it looks at one device, between one step and the next."
            )
        self.look = Look(self.model, self.rate, self.limit)
        given = self.params or {}
        self.pace = Pace(self.total or (given.get("epochs") or 1) * (given.get("steps") or 1000))
        self.steps: list[int] = []
        self.seen: list[Any] = []
        self.both = np.zeros((len(self.look.tasks),) * 2)
        self.broken = 0
        self.batches: collections.deque[Any] = collections.deque(maxlen=min(KEPT, given.get("steps") or KEPT))
        self.step = self.model.steps_behind
        self._plain = self.model.train_function
        self.model.train_function = self._wrapped(self._plain)

    def _wrapped(self, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return the function of a step that looks first, at the batch of the step."""

        def run(iterator: Any) -> Any:
            position = self.model.position
            if position.step < position.over:  # a step that was made before
                return plain(iterator)
            batch = next(iterator)
            self._count(batch)
            self.batches.append(batch)
            if self.pace.due(self.step):
                began = time.perf_counter()
                self.seen.append(self.look(batch))
                self.steps.append(self.step)
                self.broken += self.seen[-1].broken
                self.pace.looked(self.step, time.perf_counter() - began)
            began = time.perf_counter()
            logs = plain([batch])
            self.pace.stepped(time.perf_counter() - began)
            self.step += 1
            return logs

        return run

    def on_train_end(self, logs: Logs = None) -> None:
        self.model.train_function = self._plain
        rest, began, rows = self.pace.rest, time.perf_counter(), []
        parts = _parts(list(self.batches))
        for number, part in enumerate(parts):
            taken = time.perf_counter() - began
            if number >= SKETCHED[0] and taken * (number + 1) / number > rest:
                break
            rows.append(self.look.sketch(part))
        self.pace.took(time.perf_counter() - began)
        self.ratio = self.pace.ratio
        count = len(self.look.tasks)
        gradients = np.array([row[0] for row in rows]).reshape(-1, count, DIRECTIONS)
        losses = np.array([row[1] for row in rows]).reshape(-1, count)
        self.record = Record.of(self.look.tasks, self.steps, self.seen, self.both, Sketches(gradients, losses))
        metrics = [metric for task in getattr(self.model, "tasks", {}).values() for metric in task.metrics()]
        lower = sorted({name for metric in metrics for name in metric.lower})
        self.record = self.record._replace(
            ratio=self.ratio, seconds=self.pace.plain, total=self.pace.total, lower=tuple(lower), broken=self.broken
        )
        if self.file is not None:
            self.record.write(Path(self.file))

    def keep(self) -> dict[str, Any]:
        seen = {name: [listed(getattr(each, name)) for each in self.seen] for name in ("before", "after")}
        gramians = [{level: listed(values) for level, values in each.gramians.items()} for each in self.seen]
        times = {"spent": self.pace.spent, "plain": self.pace.plain, "broken": self.broken}
        return seen | {"gramians": gramians, "steps": self.steps, "both": listed(self.both)} | times

    def go_on(self, kept: Mapping[str, Any]) -> None:
        rows = zip(kept["before"], kept["after"], kept["gramians"], strict=True)
        self.seen = [
            Seen(array(before), array(after), {level: array(values) for level, values in gramians.items()})
            for before, after, gramians in rows
        ]
        self.steps, self.both, self.broken = list(kept["steps"]), array(kept["both"]), kept.get("broken", 0)
        self.pace.go_on(kept["spent"], kept["plain"])

    def _count(self, batch: Any) -> None:
        """Count the images labelled for both tasks of each pair."""
        images, labels, *weights = batch
        given = weights[0] if weights and weights[0] is not None else {}
        size = int(tf.nest.flatten(images)[0].shape[0])
        columns = [
            np.zeros(size)
            if task not in labels
            else np.reshape(np.asarray(given[task]), -1) > 0
            if task in given
            else np.ones(size)
            for task in self.look.tasks
        ]
        there = np.array(columns, float)
        self.both += there @ there.T


def _parts(batches: list[Any]) -> list[Any]:
    """Return sub-batches of some images, one of each batch in turn, up to as many as are wanted."""
    found: list[Any] = []
    sizes = [int(tf.nest.flatten(batch)[0].shape[0]) for batch in batches]
    for start in range(0, max(sizes, default=0), IMAGES):
        for batch, size in zip(batches, sizes, strict=True):
            if start + IMAGES <= size or start == 0:
                found.append(tf.nest.map_structure(lambda x, at=start: x[at : at + IMAGES], batch))
    return found[: SKETCHED[1]]
