"""Where a training is: its epoch, the steps of it that are behind, and those of them that are passed over."""

from collections.abc import Mapping
from typing import Any


class Position:
    """The count of an epoch's steps on the host; a training that goes on in the middle of one passes over its first.

    Attributes:
        epoch: from 0, as Keras counts.
        step: the steps of the epoch that are behind.
        over: the steps at its beginning that are passed over: a training before this one made them.
        passed: whether the last step was passed over.
        logs: those of the last step.
    """

    def __init__(self) -> None:
        self.epoch, self.step, self.over, self.passed = 0, 0, 0, False
        self.logs: Mapping[str, Any] = {}

    def pass_over(self, steps: int, logs: Mapping[str, Any]) -> None:
        """Pass over the first steps of the epoch that begins next, the last of which had these logs."""
        self.over, self.logs = steps, dict(logs)

    def begin(self, epoch: int) -> None:
        """Begin an epoch."""
        self.epoch, self.step = epoch, 0

    def end(self) -> None:
        """End an epoch: the next one is made whole."""
        self.over = 0

    def passes(self, at_once: int) -> bool:
        """Return whether the steps that are due are passed over, and count on if they are."""
        self.passed = self.step < self.over
        if self.passed:
            self.step += at_once
        return self.passed

    def went(self, at_once: int, logs: Mapping[str, Any]) -> None:
        """Count steps that were made, and keep their logs."""
        self.step, self.logs = self.step + at_once, logs
