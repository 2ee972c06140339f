"""A training that is asked to stop, by a signal for one, does so where nothing is lost."""

from collections.abc import Sequence
from typing import Any, Self

from visionmtl.callbacks import agreement
from visionmtl.callbacks.backup import save_now
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.stopping import Stop


class StopAsked(Callback):
    """Stops a training that was asked to, at the end of a step of training or validation, with a checkpoint.

    Before the end of the first step there is nothing to keep, and a signal stops at once. Called last, when all that
    is written of a step is there. Several workers stop after the same step; see `agreement`.

    Args:
        stop: what may have asked; the handler of signals, for one.
        watchers: the training's callbacks, of which a `Backup` saves the checkpoint.
    """

    priority = 120

    def __init__(self, stop: Stop, watchers: Sequence[Any] = ()):
        super().__init__()
        self.stop, self.watchers = stop, watchers

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.stop, session.watchers)]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._stop_if_asked()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        position = getattr(self.model, "position", None)
        self.stop.patient = position is None or not position.passed
        self._stop_if_asked()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._stop_if_asked()

    def on_train_end(self, logs: Logs = None) -> None:
        self.stop.patient = False
        if self.stop.error is not None or agreement.is_settled(self.watchers, self.stop):
            self.stop.check()

    def _stop_if_asked(self) -> None:
        if self.stop.error is None and not agreement.is_settled(self.watchers, self.stop):
            return
        if self.stop.number is not None and self.stop.error is None and self.stop.patient:
            save_now(self.watchers)
        self.stop.check()
