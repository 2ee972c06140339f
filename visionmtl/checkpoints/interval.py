"""When the next checkpoint is due: some steps or minutes after the last, never so soon that saving slows training."""

import time

MOST = 0.05  # of the time between two checkpoints may go into saving one


class Interval:
    """The time and the steps from one checkpoint to the next.

    Args:
        minutes: after which one is due; None for never.
        steps: after which one is due; None for never.
    """

    def __init__(self, minutes: float | None = 10.0, steps: int | None = None):
        self.minutes, self.steps = minutes, steps
        self.least, self.told = 0.0, False
        self.restart()

    def restart(self) -> None:
        """Count from now on: one was just made."""
        self.began, self.count = time.monotonic(), 0

    def step(self, count: int) -> None:
        """Take note of steps that were made."""
        self.count += count

    @property
    def due(self) -> bool:
        """Whether one is due."""
        passed = time.monotonic() - self.began
        in_time = self.minutes is not None and passed >= 60 * self.minutes
        return (in_time or (self.steps is not None and self.count >= self.steps)) and passed >= self.least

    def took(self, seconds: float, between: float | None) -> str | None:
        """Stretch the interval if saving took too much of it; return, the first time, the sentence that says so.

        Args:
            seconds: that saving took.
            between: seconds from the checkpoint before to one that was due; None for one that an epoch's end brought.
        """
        self.least = seconds / MOST
        if between is None or seconds <= MOST * between or self.told:
            return None
        self.told = True
        return (
            f"A checkpoint takes {seconds:.2g} s, more than {MOST:.0%} of the {between:.2g} s between two: from now on"
            f" they are at least {self.least:.2g} s apart, beside those at an epoch's end."
        )
