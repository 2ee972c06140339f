"""A training that is asked to stop, by a signal for one, does so where nothing is lost."""

from collections.abc import Sequence
from typing import Self

from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.stopping import Stop


class StopAsked(Callback):
    """Stops a training that was asked to, at the end of a step.

    Before the end of the first step there is nothing to keep, and a signal stops at once.

    Args:
        stop: what may have asked; the handler of signals, for one.
    """

    priority = 110

    def __init__(self, stop: Stop):
        super().__init__()
        self.stop = stop

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.stop)]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.stop.check()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.stop.patient = True
        self.stop.check()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.stop.check()

    def on_train_end(self, logs: Logs = None) -> None:
        self.stop.patient = False
        self.stop.check()
