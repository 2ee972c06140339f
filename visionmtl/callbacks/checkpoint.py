"""The model saved after each epoch, or whenever it is better."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.files import written_whole


class Checkpoint(Callback):
    """Save the model after each epoch, or whenever a log improves; the file is always a whole one.

    Args:
        path: a `.keras` file.
        monitor: name of a log, higher is better; None saves every epoch. Epochs without it save nothing.
        best: value to beat from the start, of the run that is resumed.
    """

    priority = 70

    def __init__(self, path: str | Path, monitor: str | None = None, best: float = -math.inf):
        super().__init__()
        self.path, self.monitor, self.best = Path(path), monitor, best

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        best = max(session.validated, default=-math.inf)
        return [
            cls(session.run / "last.keras"),
            cls(session.run / "best.keras", session.recipe.training.monitor, best),
        ]

    def keep(self) -> float | None:
        return None if self.monitor is None else self.best

    def go_on(self, kept: float) -> None:
        self.best = kept

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.monitor is not None:
            value = (logs or {}).get(self.monitor, math.nan)
            if not value > self.best:  # also where it is not a number
                return
            self.best = float(value)
        with written_whole(self.path) as partial:
            self.model.save(partial)
