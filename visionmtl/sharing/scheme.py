"""What every sharing scheme is: three steps from an image to the tasks' outputs, of which it changes one or two."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from visionmtl.errors import UsageError, nearest, one_of

Maps = dict[str, keras.KerasTensor]  # {"P2": [B, H / 4, W / 4, C2], ...}
Stages = list[tuple[str, keras.Model]]  # a backbone cut into (level, model), image -> P2 -> P3 -> ...


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


def run_stages(stages: Stages, x) -> Maps:
    """Return the maps of consecutive stages, by level."""
    maps = {}
    for level, stage in stages:
        x = maps[level] = stage(x)
    return maps


def split_after(until: str | None, stages: Stages, what: str = "level to share until") -> int:
    """Return how many stages there are up to and including a level; 0 for None.

    Raises:
        UsageError: the backbone has no such level.
    """
    levels = [level for level, _ in stages]
    return 0 if until is None else levels.index(one_of(until, levels, what)) + 1


def stem_and_branches(
    name: str, until: str | None, image, tasks: Mapping[str, Any], make_stages: Callable[[str], Stages]
) -> tuple[Maps, Any, dict[str, Stages]]:
    """Build the stages that all tasks share and those that each has of its own.

    Args:
        name: of the scheme, for the message.
        until: the last level of the stem; None for none.
        image: what the stem reads.
        tasks: by name.
        make_stages: as for `Scheme.features`.

    Returns:
        The stem's maps, what the branches read, and each task's stages, which are not run yet.

    Raises:
        UsageError: the backbone has no level `until`, or it is the last.
    """
    stem: Maps = {}
    if until is not None:
        shared = make_stages("")
        split = split_after(until, shared)
        if split == len(shared):
            raise UsageError(
                f"sharing '{name}' was given until='{until}', the backbone's last level, which leaves the tasks nothing"
                f" of their own: take {' or '.join(level for level, _ in shared[:-1]) or 'None'}, or the scheme 'hard'."
            )
        stem = run_stages(shared[:split], image)
    start = image if until is None else stem[until]
    return stem, start, {task: make_stages(f"{task}_")[len(stem) :] for task in tasks}


def reading_order(order, tasks: Mapping[str, Any], scheme: str) -> dict[str, list[str]]:
    """Return which tasks each task reads, `{task: [earlier tasks]}`, every task after all that it reads.

    Args:
        order: a list of all tasks, each of which reads the one before, or `{task: task or list of tasks that it
            reads}`, or None for the order in which tasks are given.
        tasks: by name.
        scheme: its name, for the message.

    Raises:
        UsageError: a task is unknown, missing or given twice, or tasks read each other in a circle.
    """
    given = list(tasks) if order is None else order
    if isinstance(given, Mapping):
        reads = {task: [read] if isinstance(read, str) else list(read or []) for task, read in given.items()}
    else:
        given = list(given)
        twice = next((task for task in given if given.count(task) > 1), None)
        if twice is not None:
            raise UsageError(f"sharing '{scheme}' was given the order {' -> '.join(given)}, a cycle through '{twice}'.")
        reads = {task: given[place - 1 : place] if place else [] for place, task in enumerate(given)}
        absent = [task for task in tasks if task not in reads]
        if absent:
            raise UsageError(
                f"sharing '{scheme}' was given an order without '{absent[0]}': name every task, {', '.join(tasks)}."
            )
    for task in [*reads, *(one for several in reads.values() for one in several)]:
        if task not in tasks:
            raise UsageError(
                f"sharing '{scheme}' was given an order with unknown task '{task}'.{nearest(task, tasks)}"
                f" Tasks: {', '.join(tasks)}."
            )
    waiting = {task: reads.get(task, []) for task in tasks}
    ordered: dict[str, list[str]] = {}
    while waiting:
        ready = [task for task, read in waiting.items() if all(one in ordered for one in read)]
        if not ready:
            raise UsageError(
                f"sharing '{scheme}' was given an order in which tasks read each other in a cycle: {_cycle(waiting)}."
            )
        for task in ready:
            ordered[task] = waiting.pop(task)
    return ordered


def _cycle(waiting: dict[str, list[str]]) -> str:
    """Return the names along a circle of tasks that wait for each other."""
    path = [next(iter(waiting))]
    while True:
        following = next(one for one in waiting[path[-1]] if one in waiting)
        if following in path:
            return " -> ".join([*path[path.index(following) :], following])
        path.append(following)


def check_number(scheme: str, option: str, value, low: float, whole: bool = False):
    """Return a number of at least `low`.

    Raises:
        UsageError: it is none.
    """
    kinds = int if whole else int | float
    if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value < float("inf"):
        number = "a whole number" if whole else "a number"
        raise UsageError(f"sharing '{scheme}' was given {option}={value!r}: expected {number} of at least {low:g}.")
    return value
