"""Which step is due: one that compares the gradients of the tasks, or one between."""

from typing import Any

import keras

from visionmtl.step.conflicts import Conflicts


class Pace:
    """The count of a training's steps on the host, which need not wait for the device to know which step is due.

    Args:
        balancer: who may compare the tasks' gradients every so many steps.
        conflicts: what is seen of them, for who watches; told of each comparison.

    Attributes:
        behind: the number of steps behind; None where the optimizer is to be asked.
    """

    def __init__(self, balancer: Any, conflicts: Conflicts):
        self.balancer, self.conflicts = balancer, conflicts
        self.behind: int | None = None

    def ask(self) -> None:
        """Have the optimizer asked for the number of steps behind before the next one."""
        self.behind = None

    def compares(self, iterations: Any, steps: int) -> bool:
        """Return whether the tasks' gradients are compared next, and count on.

        Args:
            iterations: the optimizer's count.
            steps: that are run at once.
        """
        if self.behind is None:
            self.behind = int(keras.ops.convert_to_numpy(iterations))
        due = self._due(self.behind, steps)
        if due:
            self.conflicts.step = self.behind
        self.behind += steps
        return due

    def _due(self, behind: int, steps: int) -> bool:
        if self.balancer.scope is not None:
            return behind % self.balancer.update_every == 0
        every = self.conflicts.every
        return every is not None and behind % every < steps
