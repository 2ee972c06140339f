"""How much longer a training takes, by what its steps and epochs took so far."""

import statistics
import time
from collections import deque
from collections.abc import Callable

LATEST = 200  # steps that the time of one is told by


class Pace:
    """A clock of steps and epochs.

    The first step of an epoch is left out, and of the others the tenth that took longest: some are traced, which takes
    longer than a step does.

    Args:
        epochs: of the whole training.
        steps: of an epoch; 0 where nobody knows.
        clock: returns seconds.
    """

    def __init__(self, epochs: int, steps: int, clock: Callable[[], float] = time.perf_counter):
        self.epochs, self.steps, self.clock = epochs, steps, clock
        self.latest, self.rest = deque[float](maxlen=LATEST), 0.0
        self.last: float | None = None
        self.ended: float | None = None

    def begin(self) -> None:
        """Begin an epoch: what passed since the steps of the one before ended was validation and saving."""
        if self.ended is not None:
            self.rest = self.clock() - self.ended
        self.last = self.ended = None

    def went(self) -> None:
        """Count a step that ended."""
        now = self.clock()
        if self.last is not None:
            self.latest.append(now - self.last)
        self.last = now

    @property
    def step(self) -> float | None:
        """Seconds of a step; None where nothing is known yet."""
        kept = sorted(self.latest)[: max(1, len(self.latest) * 9 // 10)]
        return statistics.fmean(kept) if kept else None

    def end(self) -> None:
        """End the steps of an epoch, once."""
        self.ended = self.clock() if self.ended is None else self.ended

    def left(self, epoch: int, step: int) -> float | None:
        """Return the seconds to the end of the training, None where nothing is known yet.

        Args:
            epoch: the one that runs, from 0.
            step: how many of its steps are behind.
        """
        step_seconds = self.step
        if step_seconds is None or not self.steps:
            return None
        rest = self.rest if self.ended is None else self.clock() - self.ended
        ahead = self.epochs - epoch - 1
        return step_seconds * (self.steps - step + ahead * self.steps) + rest * (ahead + (self.ended is None))


def shown(seconds: float | None) -> str:
    """Return a time as a clock shows it, nothing for None.

    Example:
        >>> shown(725), shown(12_005)
        ('0:12:05', '3:20:05')
    """
    if seconds is None:
        return ""
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"
