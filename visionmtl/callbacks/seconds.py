"""The seconds since training began, among the logs."""

import time
from collections.abc import Sequence
from typing import Self

from visionmtl.callbacks.callback import Callback, Logs, Session


class Seconds(Callback):
    """Adds `seconds` to the logs of an epoch: the time since training began, that of earlier sessions included.

    Called late, so that the time the models take to be saved is in it; TensorBoard has a time of its own.

    Args:
        before: seconds of earlier sessions of the same run.
    """

    priority = 80

    def __init__(self, before: float = 0.0):
        super().__init__()
        self.began = time.perf_counter() - before

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.history[-1]["seconds"] if session.history else 0.0)]

    def keep(self) -> float:
        return time.perf_counter() - self.began

    def go_on(self, kept: float) -> None:
        self.began = time.perf_counter() - kept

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["seconds"] = time.perf_counter() - self.began
