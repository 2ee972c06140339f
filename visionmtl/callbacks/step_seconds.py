"""How long a step of training takes."""

import statistics
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Self

from visionmtl.callbacks.callback import Callback, Logs, Session

MOST = 1000  # steps of an epoch that its median is of, the last ones


class StepSeconds(Callback):
    """Measures the seconds from the end of a step to that of the next, the waiting for data included.

    The first step of an epoch, or of a session that goes on within one, is left out: it waits for what lies before.
    Called early, so that what others do after a step counts for the next.

    Attributes:
        epochs: the median of each epoch.
    """

    priority = 5
    of_chief = True

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[float] = []
        self.steps: deque[float] = deque(maxlen=MOST)
        self.last: float | None = None

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls()]

    @property
    def median(self) -> float | None:
        """The seconds of a step; None where no two followed each other."""
        known = [*self.epochs, *([statistics.median(self.steps)] if self.steps else [])]
        return statistics.median(known) if known else None

    def keep(self) -> Any:
        return {"epochs": list(self.epochs), "steps": list(self.steps)}

    def go_on(self, kept: Any) -> None:
        self.epochs, self.steps = list(kept["epochs"]), deque(kept["steps"], MOST)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.last = None

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        position = getattr(self.model, "position", None)
        if position is not None and position.passed:
            return
        now = time.perf_counter()
        if self.last is not None:
            self.steps.append(round(now - self.last, 6))
        self.last = now

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.steps:
            self.epochs.append(statistics.median(self.steps))
        self.steps.clear()
        self.last = None
