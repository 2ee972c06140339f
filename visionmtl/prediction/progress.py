"""How many pictures or frames are done, how fast, how long the rest takes: a bar on a terminal, else lines."""

import os
import time
from typing import TextIO

from visionmtl import terminal
from visionmtl.report.tables import duration

EVERY = 10.0  # seconds between two lines
WIDTH = 100  # of the line of a bar, where the terminal has as many
BAR, REDRAWN = 24, 0.2  # cells of a bar, and seconds until it is drawn again
CLEARED = "\r\033[K"  # what takes a terminal back to an empty line


class Progress:
    """Tells of pictures that are done.

    Args:
        total: how many there are; 0 where nobody knows.
        before: how many of them were done before.
        out: where to; a terminal gets a bar.
        noun: what they are.
    """

    def __init__(self, total: int, before: int, out: TextIO, noun: str = "pictures"):
        self.total, self.before, self.done, self.out, self.noun = total, before, before, out, noun
        self.bar = out.isatty() and os.environ.get("TERM") != "dumb"
        self.began = self.told = time.monotonic()
        if self.bar:
            self._tell()

    def add(self, count: int) -> None:
        """Count pictures, and tell of them if it is time."""
        self.done += count
        now = time.monotonic()
        if now - self.told >= (REDRAWN if self.bar else EVERY) and (self.done < self.total or not self.total):
            self.told = now
            self._tell()

    def close(self) -> None:
        """Leave the line of a bar to what is printed next."""
        if self.bar:
            print(CLEARED, end="", file=self.out, flush=True)

    def _tell(self) -> None:
        taken = self.told - self.began
        rate = (self.done - self.before) / taken if taken else 0.0
        of = f" of {self.total:,}" if self.total else ""
        left = f"  {duration((self.total - self.done) / rate)} left" if rate and self.total else ""
        line = f"{self.done:,}{of} {self.noun}" + (f"  {rate:.3g} a second{left}" if rate else "")
        if self.bar:
            columns = terminal.width(WIDTH, 0) - 1  # what goes beyond the last is not cleared
            room = min(BAR, columns - len(line) - 4)
            full = min(room, room * self.done // self.total) if self.total else 0
            drawn = f"[{'=' * full}{' ' * (room - full)}]  {line}" if room >= 4 else line[:columns]
            print(f"{CLEARED}{drawn}", end="", file=self.out, flush=True)
        else:
            print(line, file=self.out, flush=True)
