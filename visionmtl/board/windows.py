"""The losses between two points of a curve, out of means that run over a whole epoch."""

from collections.abc import Mapping
from typing import Any

import keras

from visionmtl.workers import replicas_of


class Windows:
    """The means of what was added to running means since they were looked at last.

    Of several workers, each sees what its own replicas added: nobody waits for the others to write a curve.

    Attributes:
        seen: by name, the total and the count at the last look.
    """

    def __init__(self) -> None:
        self.seen: dict[str, tuple[float, float]] = {}

    def begin(self) -> None:
        """Begin an epoch, in which the running means are empty again."""
        self.seen = {}

    def take(self, means: Mapping[str, keras.metrics.Mean]) -> dict[str, float]:
        """Return, by name, the mean of what was added since the last look; without those to which nothing was.

        Example:
            >>> mean, windows = keras.metrics.Mean(), Windows()
            >>> mean.update_state(4.0)
            >>> windows.take({"loss": mean})
            {'loss': 4.0}
            >>> mean.update_state(2.0)
            >>> windows.take({"loss": mean}), windows.take({"loss": mean})
            ({'loss': 2.0}, {})
        """
        found = {}
        for name, mean in means.items():
            total, count = (_sum(variable) for variable in mean.variables)
            before, counted = self.seen.get(name, (0.0, 0.0))
            self.seen[name] = total, count
            if count > counted:
                found[name] = (total - before) / (count - counted)
        return found


def _sum(variable: Any) -> float:
    return sum(float(part.numpy()) for part in replicas_of(variable))
