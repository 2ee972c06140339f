"""Training ends when a log has not risen for some validations."""

import math
from collections.abc import Sequence
from typing import Self

from visionmtl.callbacks.callback import Callback, Logs, Session


class Patience(Callback):
    """Stops the training when a log has not risen for so many validations; epochs without the log do not count.

    Args:
        monitor: name of the log, higher is better.
        patience: validations to wait.
        values: those of earlier sessions of the same run.
    """

    priority = 100

    def __init__(self, monitor: str, patience: int, values: Sequence[float] = ()):
        super().__init__()
        self.monitor, self.patience, self.values = monitor, patience, list(values)

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        settings = session.recipe.training
        return [cls(settings.monitor, settings.early_stopping, session.validated)] if settings.early_stopping else []

    def keep(self) -> list[float]:
        return self.values

    def go_on(self, kept: list[float]) -> None:
        self.values = kept

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        value = (logs or {}).get(self.monitor, math.nan)
        if not math.isnan(value):
            self.values.append(value)
            best = self.values.index(max(self.values))
            self.model.stop_training = len(self.values) - 1 - best >= self.patience
