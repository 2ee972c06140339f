"""What every sharing scheme is: three steps from an image to the tasks' outputs, of which it changes one or two."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from visionmtl.sharing.base.stages import Maps, Stages, run_stages


class Auxiliary(NamedTuple):
    """Outputs of a task that are not its predictions, but learn from its labels too.

    Attributes:
        outputs: raw outputs, as a task's head gives them.
        weight: of their loss beside the task's own.
    """

    outputs: dict[str, keras.KerasTensor]
    weight: float


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


class Scheme:
    """How tasks share a network. A new scheme is one file with a subclass, and one line in the registry.

    A model is built in three steps; a subclass overrides those it changes. It keeps its options in attributes of their
    names and returns them from `get_config`.
    """

    name: str

    def features(
        self, image: keras.KerasTensor, tasks: Mapping[str, Any], make_stages: Callable[[str], Stages]
    ) -> dict[str, Maps]:
        """Return the backbone's maps that each task reads, `{task name: {"P2": ..., "P5": ...}}`.

        Tasks given the very same maps share the neck that follows; else each has its own.

        Args:
            image: `[B, H, W, 3]`, 0..255.
            tasks: `tasks.Task` by name, in the order of the model.
            make_stages: `make_stages(prefix)` builds one backbone as a list of (level, model), image -> P2 -> P3 ->
                ...; every one that it builds starts from the same weights.

        Raises:
            UsageError: an option does not fit the backbone or the tasks.
        """
        shared = run_stages(make_stages(""), image)
        return dict.fromkeys(tasks, shared)

    def mix(self, maps: dict[str, Maps], tasks: Mapping[str, Any]) -> dict[str, Maps]:
        """Return the maps each task's head reads, from those that the necks made; all levels are equally wide."""
        return maps

    def heads(self, maps: dict[str, Maps], tasks: Mapping[str, Any]) -> dict[str, dict]:
        """Return each task's raw outputs, `{task name: {output name: tensor}}`."""
        return {name: task.outputs(maps[name]) for name, task in tasks.items()}

    def auxiliary(self) -> dict[str, Auxiliary]:
        """Return, after `heads`, further outputs by task that learn from its labels."""
        return {}

    def penalties(self) -> list[Penalty]:
        """Return, after `features`, the losses that tie parameters together."""
        return []

    def layers(self) -> list[keras.layers.Layer]:
        """Return, after `features`, layers of trained variables that no map passes through."""
        return []

    def started(self) -> None:
        """Take note that the parameters were just given the values from which training starts."""

    def learnt(self, model: keras.Model) -> dict[str, Matrix]:
        """Return what the scheme has learnt of how the tasks share, by title."""
        return {}

    def get_config(self) -> dict:
        """Return the arguments that make this scheme again."""
        return {}
