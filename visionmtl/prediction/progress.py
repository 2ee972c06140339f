"""A line now and then that says how many pictures are done, how fast, and how long the rest will take."""

import time
from collections.abc import Callable

from visionmtl.report.tables import duration

EVERY = 10.0  # seconds between two lines


class Progress:
    """Tells of pictures that are done.

    Args:
        total: how many there are.
        before: how many of them were done before.
        tell: called with each line.
        every: seconds between two lines.
    """

    def __init__(self, total: int, before: int, tell: Callable[[str], None], every: float = EVERY):
        self.total, self.before, self.done, self.tell, self.every = total, before, before, tell, every
        self.began = self.told = time.monotonic()

    def add(self, count: int) -> None:
        """Count pictures, and tell of them if it is time."""
        self.done += count
        now = time.monotonic()
        if now - self.told >= self.every and self.done < self.total:
            rate = (self.done - self.before) / (now - self.began)
            left = f"{duration((self.total - self.done) / rate)} left" if rate else ""
            self.tell(f"{self.done:,} of {self.total:,} pictures  {rate:.3g} a second  {left}".rstrip())
            self.told = now
