"""Which step is due: one that compares the gradients of the tasks, or one between."""

from collections.abc import Callable
from typing import Any

from visionmtl.errors import UsageError
from visionmtl.step.conflicts import Conflicts


class Pace:
    """The count of a training's steps on the host, which need not wait for the device to know which step is due.

    Args:
        balancer: who may compare the tasks' gradients every so many updates.
        conflicts: what is seen of them, for who watches; told of each comparison.
        at_once: how many steps are run at once.
        accumulation: how many steps an update takes: all of them compare, or none.

    Attributes:
        behind: the number of steps behind; None where the optimizer is to be asked.

    Raises:
        UsageError: the balancer compares in some of the steps that are run at once and not in others.
    """

    def __init__(self, balancer: Any, conflicts: Conflicts, at_once: int = 1, accumulation: int = 1):
        if balancer.update_every > 1 and at_once > 1:
            raise UsageError(
                f"update_every={balancer.update_every} needs steps_per_execution=1, but compile was given"
                f" {at_once}: leave one of them out."
            )
        self.balancer, self.conflicts = balancer, conflicts
        self.at_once, self.accumulation = at_once, accumulation
        self.behind: int | None = None

    def ask(self) -> None:
        """Have the optimizer asked for the number of steps behind before the next one."""
        self.behind = None

    def compares(self, asked: Callable[[], int]) -> bool:
        """Return whether the tasks' gradients are compared next, and count on.

        Args:
            asked: returns the optimizer's count of steps, those of an update that is not complete too.
        """
        if self.behind is None:
            self.behind = asked()
        due = self._due(self.behind)
        if due:
            self.conflicts.step = self.behind
        self.behind += self.at_once
        return due

    def _due(self, behind: int) -> bool:
        if self.balancer.scope is not None:
            return behind // self.accumulation % self.balancer.update_every == 0
        every = self.conflicts.every
        # The last step of each `every`: the first look waits, as its step has a graph of its own to be made.
        return every is not None and (behind + self.at_once) % every < self.at_once
