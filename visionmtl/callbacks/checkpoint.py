"""The model saved after each epoch, or whenever it is better."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from visionmtl import terminal
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.checkpoints.state import unfinished
from visionmtl.files import written_whole


class Checkpoint(Callback):
    """Save the model after each epoch, or whenever a log improves; the file is always a whole one.

    A model with a weight that is not finite is not saved, whatever its score, and that is told.

    Args:
        path: a `.keras` file.
        monitor: name of a log, higher is better; None saves every epoch. Epochs without it save nothing.
        best: value to beat from the start, of the run that is resumed.
        state: whether the file keeps what the optimizer does, as training goes on from; without, that of Adam is a
            third as large, and of a `BalancedModel` alone.

    Attributes:
        seconds: that each save took.
    """

    priority = 70
    of_chief = True

    def __init__(self, path: str | Path, monitor: str | None = None, best: float = -math.inf, state: bool = True):
        super().__init__()
        self.path, self.monitor, self.best, self.state = Path(path), monitor, best, state
        self.seconds: list[float] = []

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        best = max(session.validated, default=-math.inf)
        return [
            cls(session.run / "last.keras"),
            cls(session.run / "best.keras", session.recipe.training.monitor, best, state=False),
        ]

    def keep(self) -> float | None:
        return None if self.monitor is None else self.best

    def go_on(self, kept: float) -> None:
        self.best = kept if self.path.is_file() else -math.inf  # what is lost is nothing to beat

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.monitor is not None:
            value = (logs or {}).get(self.monitor, -math.inf)
            if math.isnan(value):
                terminal.tell(f"Epoch {epoch + 1}: {self.monitor} is not a number, and no model the best for it.")
            if not self.best < value < math.inf:
                return
        if (broken := unfinished(self.model.weights)) is not None:
            terminal.tell(
                f"Epoch {epoch + 1}: the weight '{broken}' is not finite, and {self.path.name} is not written."
            )
            return
        if self.monitor is not None:
            self.best = float(value)
        began = time.perf_counter()
        with written_whole(self.path) as partial:
            if self.state:
                self.model.save(partial)
            else:
                self.model.save_without_state(partial)
        self.seconds.append(time.perf_counter() - began)
