"""When to look at a training, so that all looks together stay within a fraction of its time."""

import statistics
import time
from collections.abc import Callable

BUDGET = 0.3  # of the time of the training without them
SAFE = 0.9  # of the budget is given out: what a look takes varies
LAST = 0.3  # of that is kept for the estimate at the end
FIRST = 2  # steps before the first look
FEWEST = 8  # looks that are made whatever they cost


class Pace:
    """Gives out a budget of time among the steps of a training, by what steps and looks were measured to take.

    Looks lie evenly in what is ahead: where the first, which is traced, took long, there are fewer of them.

    Args:
        total: steps of the training.
        clock: returns seconds.

    Attributes:
        looks: how many were made.
        spent: seconds that they took.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.perf_counter):
        self.total, self.clock = total, clock
        self.looks, self.spent, self.cost = 0, 0.0, 0.0
        self.next = max(0, min(FIRST, total - FEWEST))
        self.steps: list[float] = []
        self.began = clock()

    @property
    def plain(self) -> float:
        """Seconds of the training so far without the looks."""
        return self.clock() - self.began - self.spent

    @property
    def ratio(self) -> float:
        """The time so far to that without the looks."""
        return 1 + self.spent / max(self.plain, 1e-9)

    @property
    def rest(self) -> float:
        """Seconds of the budget that are left, once the training is at its end."""
        return BUDGET * SAFE * self.plain - self.spent

    def due(self, step: int) -> bool:
        """Return whether to look before a step, counted from 0."""
        return step >= self.next

    def stepped(self, seconds: float) -> None:
        """Take note of what a step took."""
        self.steps.append(seconds)

    def looked(self, step: int, seconds: float) -> None:
        """Take note of a look that was made before a step, and choose the step of the next."""
        self.looks, self.spent = self.looks + 1, self.spent + seconds
        left = self.total - step - 1
        if self.looks == 1:  # the second tells what a look takes that is not traced
            self.next = step + 1
            return
        self.cost = seconds if self.looks == 2 else 0.8 * self.cost + 0.2 * seconds
        whole = self.plain + statistics.median(self.steps or [0.0]) * left
        affordable = (BUDGET * SAFE * (1 - LAST) * whole - self.spent) / max(self.cost, 1e-9)
        wanted = max(affordable, FEWEST - self.looks)
        self.next = step + max(1, round(left / (wanted + 1))) if wanted >= 1 else self.total

    def took(self, seconds: float) -> None:
        """Take note of what the estimate at the end took."""
        self.spent += seconds
