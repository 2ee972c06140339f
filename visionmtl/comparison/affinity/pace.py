"""When to look at a training, so that all looks together stay within a fraction of its time."""

import statistics
import time
from collections.abc import Callable

BUDGET = 0.3  # of the time of the training without them
SAFE = 0.9  # of the budget is given out: what a look takes varies
LAST = 0.25  # of that is kept for the estimate at the end
TRACED = 0.7  # of the first look's time, to trace it: it has one pass back too, and one forward less
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
        self.looks, self.spent, self.cost, self.first, self.every = 0, 0.0, 0.0, 0.0, 0
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
            self.first, self.next = seconds, step + 1
            return
        self.cost = seconds if self.looks == 2 else 0.8 * self.cost + 0.2 * seconds
        whole = self.plain + statistics.median(self.steps or [0.0]) * left
        budget = BUDGET * SAFE * (1 - LAST) * whole - TRACED * self.first
        wanted = max((budget - self.spent) / max(self.cost, 1e-9), FEWEST - self.looks)
        if wanted < 1:
            self.next = self.total
            return
        # Time left over is no reason to crowd the end: a mean over steps is of all of them.
        self.every = max(1, round(left / (wanted + 1)), self.every // 2)
        self.next = step + self.every

    def go_on(self, spent: float, plain: float) -> None:
        """Add the seconds of looks, and of the training without them, of earlier sessions."""
        self.began -= spent + plain
        self.spent += spent

    def took(self, seconds: float) -> None:
        """Take note of what the estimate at the end took."""
        self.spent += seconds
