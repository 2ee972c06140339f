"""What several workers agree on between steps: to stop, where one was asked to, and to save where the chief would."""

import time
from collections.abc import Sequence
from typing import Any, Self

from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.stopping import Stop
from visionmtl.workers import Workers

SECONDS = 1.0  # from one agreement to the next, where steps are shorter
MOST = 100  # steps from one to the next


class Agreement(Callback):
    """Has several workers do the same after the same step: each is asked by signals of its own, and has its own clock.

    To agree takes a message to all, so that of short steps some go by without.

    Args:
        workers: that train together.
        stop: what may have asked this one to stop.
        watchers: the training's callbacks, of which one that `is_due` has all of them save.

    Attributes:
        number: of the signal that asked one of them to stop, as they agreed; None for none.
        saves: whether they save after this step.
    """

    priority = 108

    def __init__(self, workers: Workers, stop: Stop, watchers: Sequence[Any] = ()):
        super().__init__()
        self.workers, self.stop, self.watchers = workers, stop, watchers
        self.number: int | None = None
        self.saves = False
        self.pace = self.left = 1
        self.last = time.monotonic()

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.workers, session.stop, session.watchers)] if session.workers.several else []

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._agree()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self.model.position.passed:
            self._step()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._step()

    def on_train_end(self, logs: Logs = None) -> None:
        self._agree()

    def _step(self) -> None:
        self.saves = False
        self.left -= 1
        if self.left <= 0:
            self._agree()

    def _agree(self) -> None:
        now = time.monotonic()
        step, self.last = max(1e-3, now - self.last) / self.pace, now
        due = any(getattr(watcher, "is_due", False) for watcher in self.watchers)
        own = [self.stop.number or 0, int(due), max(1, min(MOST, int(SECONDS / step)))]
        said = self.workers.each(own)
        self.number = max(number for number, _, _ in said) or None
        self.saves, self.pace = bool(said[0][1]), said[0][2]
        self.left = self.pace


def saves(watchers: Sequence[Any]) -> bool:
    """Return whether the workers of a training agreed to save after this step."""
    return any(watcher.saves for watcher in watchers if isinstance(watcher, Agreement))


def is_settled(watchers: Sequence[Any], stop: Stop) -> bool:
    """Return whether a signal that came, to this worker or another, is for all to obey now, and note which it is."""
    for watcher in watchers:
        if isinstance(watcher, Agreement):
            if watcher.number is not None:
                stop.number = watcher.number
            return watcher.number is not None
    return True
