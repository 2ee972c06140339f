"""The state that an interrupted training goes on from, at the step where it was."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np

from visionmtl import terminal
from visionmtl.callbacks import agreement
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.checkpoints import Interval, container, folder, state
from visionmtl.checkpoints.folder import Found, Place
from visionmtl.errors import UsageError
from visionmtl.workers import ALONE, Workers


class Backup(Callback):
    """Keeps the state that an interrupted training goes on from, in `checkpoints/`, and gives it back when it does.

    One is written before the first step, at the beginning of every epoch, once so many minutes or steps have passed,
    and at the end. The training waits for a copy of its variables alone: a thread writes, one checkpoint at a time. One
    that is due meanwhile is made as soon as the thread is done; one of an epoch's beginning waits for it. What went
    wrong in the thread is raised after the next step.

    Called last, when all else that is written of a step or an epoch is there. A model with a weight that is not finite
    is not kept.

    Args:
        run: the run folder.
        minutes, steps: see `Interval`.
        keep: how many checkpoints are kept.
        start: the one that the training goes on from; the model has its variables and passes over its steps.
        watchers: the callbacks whose `keep` and `go_on` are called.
        about: what else is kept, as JSON has it.
        workers: that train together, of which the chief alone writes.
    """

    priority = 110

    def __init__(
        self,
        run: Path,
        minutes: float | None = 10.0,
        steps: int | None = None,
        keep: int = 2,
        start: Found | None = None,
        watchers: Sequence[Any] = (),
        about: Mapping[str, Any] | None = None,
        workers: Workers = ALONE,
    ):
        super().__init__()
        self.workers = workers
        self.run, self.most, self.start, self.watchers = run, keep, start, watchers
        self.about = dict(about or {})
        self.interval = Interval(minutes, steps)
        self.good = [] if start is None else [p for p, place in folder.of(run).items() if place <= start.place][::-1]
        self.saved: dict[str, Any] = {} if start is None else {"path": start.path, "finished": False}
        self.measured: dict[str, np.ndarray] | None = None  # by a training that is being validated
        self.begun = False
        self.thread = ThreadPoolExecutor(1, "checkpoint")
        self.flight: Future[Path | None] | None = None

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        wanted = session.recipe.training.checkpoint
        about = {"recipe": session.recipe.model_dump(mode="json"), "steps": session.steps}
        start, watchers = session.start, session.watchers
        workers = session.workers
        return [cls(session.run, wanted.minutes, wanted.steps, wanted.keep, start, watchers, about, workers)]

    @property
    def is_due(self) -> bool:
        """Whether a checkpoint is to be made, and none is being written."""
        return self.interval.due and self.flight is None

    def save_now(self) -> Path | None:
        """Write a checkpoint of where the training is, and return its file once it is on the disk.

        It may be called by any callback, between steps of training or of validation.

        Returns:
            None where a weight is not finite, and on a worker that is not the chief: nothing was written.

        Raises:
            UsageError: it cannot be written.
        """
        self.wait()
        return self._save(lambda write, *given: write(*given))

    def wait(self) -> None:
        """Return once no checkpoint is being written.

        Raises:
            UsageError: the last could not be written.
        """
        flight, self.flight = self.flight, None
        if flight is not None:
            flight.result()

    def close(self) -> None:
        """Let the thread finish; what goes wrong in it is for nobody to hear any more."""
        self.thread.shutdown()

    def on_train_begin(self, logs: Logs = None) -> None:
        if not hasattr(self.model, "training_state"):
            kind = type(self.model).__name__
            raise UsageError(f"Backup was given to the fit of a {kind}: it keeps the state of a BalancedModel.")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if not self.begun:
            self.begun = True
            self.interval.restart()
            if self.start is not None and self.start.arrays:
                state.give_back(self.model.training_state(), self.start.arrays, self.workers)
                for name, watcher in self._named():
                    if name in self.start.kept:
                        watcher.go_on(self.start.kept[name])
                self.start.arrays.clear()  # which are as large as the model and its optimizer
            elif self.start is None:
                self.save_now()
            return
        self.wait()
        self._save(self._fly)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.flight is not None and self.flight.done():
            self.wait()
        if self.model.position.passed:
            return
        self.interval.step(self.model.steps_per_execution)
        if agreement.saves(self.watchers) if self.workers.several else self.is_due:
            self._save(self._fly, between=time.monotonic() - self.interval.began)

    def on_test_begin(self, logs: Logs = None) -> None:
        if self.begun:  # validation counts in the same variables
            self.measured = state.taken({"metrics": self.model.training_state()["metrics"]}, self.workers)

    def on_test_end(self, logs: Logs = None) -> None:
        self.measured = None

    def on_train_end(self, logs: Logs = None) -> None:
        self.wait()
        if self.begun:
            self._save(lambda write, *given: write(*given), finished=True)
        self.begun = False

    def _fly(self, write: Callable[..., Path | None], *given: Any) -> None:
        self.flight = self.thread.submit(write, *given)

    def _save(
        self, how: Callable[..., Path | None], finished: bool = False, between: float | None = None
    ) -> Path | None:
        """Copy all that is to be kept, and have it written."""
        began, position = time.monotonic(), self.model.position
        place = Place(position.epoch + 1, 0) if finished else Place(position.epoch, position.step)
        path = self.run / "checkpoints" / place.name
        if self.workers.chiefs(lambda: {"path": path, "finished": finished} == self.saved):
            return path
        arrays = state.taken(self.model.training_state(), self.workers) | (self.measured or {})
        if not self.workers.is_chief:
            return None
        about = self.about | {
            "epoch": place.epoch,
            "step": place.step,
            "finished": finished,
            "logs": {name: float(value) for name, value in position.logs.items()},
            "kept": {name: kept for name, watcher in self._named() if (kept := watcher.keep()) is not None},
        }
        self.saved = {"path": path, "finished": finished}
        self.interval.restart()
        own = {id(variable) for variable in self.model.balancer.variables}
        weights = self.model.training_state()["weights"]
        names = [name for name in arrays if name.startswith("weights:")]
        checked = [name for name in names if id(weights[int(name.split(":")[1])]) not in own]
        return how(self._write, path, about, arrays, checked, began, between)

    def _write(
        self,
        path: Path,
        about: dict[str, Any],
        arrays: dict[str, np.ndarray],
        checked: Sequence[str],
        began: float,
        between: float | None,
    ) -> Path | None:
        broken = state.not_finite(arrays, checked)
        if broken is not None:
            terminal.tell(f"No checkpoint {path.name}: the weight '{broken}' is not finite.")
            self.saved = {}
            return None
        container.write(path, about, arrays)
        self._prune(path)
        sentence = self.interval.took(time.monotonic() - began, between)
        if sentence:
            terminal.tell(sentence)
        return path

    def _prune(self, path: Path) -> None:
        """Remove what is older than the last few, and what was found damaged."""
        self.good = [*(other for other in self.good if other != path), path][-self.most :]
        for other in folder.of(self.run):
            if other not in self.good:
                other.unlink(missing_ok=True)

    def _named(self) -> list[tuple[str, Callback]]:
        """The callbacks that may keep something, by distinct names."""
        named: dict[str, Callback] = {}
        for watcher in self.watchers:
            if isinstance(watcher, Callback):
                name = type(watcher).__name__
                same = sum(other.split(" ")[0] == name for other in named)
                named[f"{name} {same + 1}" if same else name] = watcher
        return list(named.items())


def save_now(watchers: Sequence[Any]) -> None:
    """Have those of a training's callbacks that keep checkpoints write one, of where it is."""
    for watcher in watchers:
        if isinstance(watcher, Backup):
            watcher.save_now()
