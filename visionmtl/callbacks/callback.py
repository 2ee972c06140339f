"""What every callback of a training is: when it is called, and how it is made for a session."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import keras

from pipelines.datasets import Datasets
from visionmtl.checkpoints.folder import Found
from visionmtl.recipe.sections import Recipe
from visionmtl.stopping import Stop
from visionmtl.workers import ALONE, Workers

Logs = dict[str, Any] | None  # of an epoch, by name; what a callback adds is seen by those called after it


@dataclass(frozen=True)
class Session:
    """A training that begins, or goes on.

    Attributes:
        recipe: what is trained.
        run: the run folder.
        datasets: the splits that are read.
        history: the logs of the epochs behind it, one row each.
        model: compiled, with the weights it starts from.
        stop: what may have asked to stop.
        start: the checkpoint that it goes on from; None where it begins.
        steps: those of an epoch.
        watchers: its callbacks, once all are made.
        workers: that train it together.
    """

    recipe: Recipe
    run: Path
    datasets: Datasets
    history: Sequence[Mapping[str, float]]
    model: keras.Model
    stop: Stop = field(default_factory=Stop)
    start: Found | None = None
    steps: int = 0
    watchers: list[Any] = field(default_factory=list)
    workers: Workers = ALONE

    @property
    def validated(self) -> list[float]:
        """The values that `training.monitor` has had so far, of the epochs that were validated."""
        values = [row.get(self.recipe.training.monitor, math.nan) for row in self.history]
        return [value for value in values if not math.isnan(value)]


class Callback(keras.callbacks.Callback):
    """Something that watches a training, usable alone in `model.fit`.

    Attributes:
        priority: when it is called among the others, lower ones first: below 30 what makes data and weights ready,
            below 50 what adds to the logs, from there on what reads them.
        of_chief: whether of several workers the chief alone has it, as it only writes or prints.
    """

    priority: ClassVar[int]
    of_chief: ClassVar[bool] = False

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        """Return those that a session of `visionmtl train` has: one, several, or none where it is not wanted."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what this holds, once the training ended, whatever ended it."""

    def keep(self) -> Any:
        """Return what a checkpoint is to hold of this, as JSON has it; None for nothing.

        What is held back, to be written when the epoch ends, is written now.
        """
        return None

    def go_on(self, kept: Any) -> None:
        """Take what `keep` returned, as the first epoch of a training that goes on begins."""
