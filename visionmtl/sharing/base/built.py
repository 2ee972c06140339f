"""What a sharing scheme hands back: values alone, nothing of which stays in the scheme."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

import keras
import numpy as np

from visionmtl.sharing.base.stages import Maps

Outputs = dict[str, keras.KerasTensor]  # raw outputs of a task's head, by name


class Auxiliary(NamedTuple):
    """Outputs of a task that are not its predictions, but learn from its labels too.

    Attributes:
        outputs: raw outputs, as a task's head gives them.
        weight: of their loss beside the task's own.
        level: of which they are, such as "P2", where a task has some of several; "" where they are of all.
    """

    outputs: Outputs
    weight: float
    level: str = ""


class Penalty(NamedTuple):
    """A loss that depends on variables alone.

    Attributes:
        value: returns it, a scalar.
        variables: which it reads; a model that lacks one of them has no such penalty.
    """

    value: Callable[[], Any]
    variables: Sequence[Any]


class Matrix(NamedTuple):
    """Something a scheme has learnt, to be drawn as a heat map.

    Attributes:
        values: float `[R, C]`.
        rows: R names.
        columns: C names.
    """

    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]


Learnt = Callable[[keras.Model], dict[str, Matrix]]
Of = TypeVar("Of", Maps, Outputs)


def _nothing_learnt(model: keras.Model) -> dict[str, Matrix]:
    return {}


def _nothing_to_note() -> None:
    """Take no note."""


def _no_schedule(epoch: int, epochs: int) -> None:
    """Be the same in all epochs."""


@dataclass(frozen=True)
class Made(Generic[Of]):
    """What one of a scheme's three steps made.

    Attributes:
        by_task: what each task goes on with: maps by level, or, of the heads, raw outputs by name.
        own_necks: of the features: whether tasks that read the very same maps have a neck each.
        auxiliary: of the heads: further outputs by task that learn from its labels, each by a loss of its own.
        penalties: losses that tie parameters together.
        layers: layers of trained variables that no map passes through.
        owned: by task, the names of layers that are of the task's part of the model, and not of what tasks share.
        rates: by the name of a layer, how many times the learning rate it learns at, if not once.
        learnt: returns what a model has learnt in this step of how its tasks share, by title. The model may have fewer
            tasks and layers than were built.
        started: takes note that the parameters were just given the values from which training starts.
        began: takes note that an epoch of a training begins, by its number from 0, and of how many it is.
    """

    by_task: dict[str, Of]
    auxiliary: Mapping[str, Sequence[Auxiliary]] = field(default_factory=dict)
    penalties: Sequence[Penalty] = ()
    layers: Sequence[keras.layers.Layer] = ()
    owned: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    learnt: Learnt = _nothing_learnt
    started: Callable[[], None] = _nothing_to_note
    began: Callable[[int, int], None] = _no_schedule
    own_necks: bool = False


@dataclass(frozen=True)
class Built:
    """What a scheme built of an image, from the backbone to the heads.

    Attributes:
        features: the backbone's maps that each task reads.
        necked: the same after the necks.
        mixed: the maps that each task's head reads.
        heads: each task's raw outputs.
    """

    features: Made[Maps]
    necked: dict[str, Maps]
    mixed: Made[Maps]
    heads: Made[Outputs]

    @property
    def steps(self) -> tuple[Made[Any], ...]:
        """What the three steps made."""
        return self.features, self.mixed, self.heads

    @property
    def outputs(self) -> dict[str, Outputs]:
        """Each task's raw outputs, `{task name: {output name: tensor}}`."""
        return self.heads.by_task

    @property
    def auxiliary(self) -> dict[str, Sequence[Auxiliary]]:
        """Further outputs by task that learn from its labels."""
        return dict(self.heads.auxiliary)

    @property
    def penalties(self) -> list[Penalty]:
        """The losses that tie parameters together."""
        return [penalty for made in self.steps for penalty in made.penalties]

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """Layers of trained variables that no map passes through."""
        return [layer for made in self.steps for layer in made.layers]

    @property
    def rates(self) -> dict[str, float]:
        """By the name of a layer, how many times the learning rate it learns at, if not once."""
        return {layer: times for made in self.steps for layer, times in made.rates.items()}

    def learnt(self, model: keras.Model) -> dict[str, Matrix]:
        """Return what a model of this has learnt of how its tasks share, by title."""
        return {title: matrix for made in self.steps for title, matrix in made.learnt(model).items()}

    def started(self) -> None:
        """Take note that the parameters were just given the values from which training starts."""
        for made in self.steps:
            made.started()

    def began(self, epoch: int, epochs: int) -> None:
        """Take note that an epoch of a training begins, by its number from 0, and of how many it is."""
        for made in self.steps:
            made.began(epoch, epochs)
