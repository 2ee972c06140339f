"""Stages of a backbone, run one after the other, shared up to a level."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import keras

from visionmtl import keras_graph
from visionmtl.errors import UsageError, one_of

Maps = dict[str, keras.KerasTensor]  # {"P2": [B, H / 4, W / 4, C2], ...}
Stages = list[tuple[str, keras.Model]]  # a backbone cut into (level, model), image -> P2 -> P3 -> ...
Kernels = list[list[keras.Variable]]  # of one level: for each kernel of a backbone, the K variables of the tasks


def run_stages(stages: Stages, x: keras.KerasTensor) -> Maps:
    """Return the maps of consecutive stages, by level."""
    maps = {}
    for level, stage in stages:
        x = maps[level] = stage(x)
    return maps


def before_last_block(stage: keras.Model) -> keras.KerasTensor | None:
    """Return the last map of a stage, as large as the one it hands on, that lies between two of its convolutions.

    All that the stage hands on passes through it: after blocks with a way round each, it is what the last block reads.
    None where there is no such map.
    """
    made = [keras_graph.ordered(stage)[place].output_tensors[0] for place in between_kernels(stage)]
    return next((tensor for tensor in made if tensor.shape[1:3] == stage.output.shape[1:3]), None)


def between_kernels(stage: keras.Model) -> list[int]:
    """Return the places, in the order of `keras_graph.ordered` and the last first, of maps between two kernels.

    All that the stage hands on passes through such a map.
    """
    nodes = keras_graph.ordered(stage)
    places = {id(made): place for place, node in enumerate(nodes) for made in node.output_tensors}
    reads = [min((places.get(id(tensor), -1) for tensor in node.input_tensors), default=-1) for node in nodes]
    kernels = [any(len(v.shape) > 1 for v in getattr(node.operation, "weights", ())) for node in nodes]
    found = []
    for place in reversed(range(len(nodes) - 1)):
        passed = min(reads[place + 1 :]) >= place  # nothing behind it reads what lies before it
        between = any(kernels[place + 1 :]) and any(kernels[: place + 1])
        if passed and between and len(nodes[place].output_tensors[0].shape) == 4:
            found.append(place)
    return found


def split_after(until: str | None, stages: Stages, what: str = "level to share until") -> int:
    """Return how many stages there are up to and including a level; 0 for None.

    Raises:
        UsageError: the backbone has no such level.
    """
    levels = [level for level, _ in stages]
    return 0 if until is None else levels.index(one_of(until, levels, what)) + 1


@dataclass(frozen=True)
class Branches:
    """A backbone for every task, or a branch of one after a stem that all share; the branches are not run yet.

    Attributes:
        stem: the maps of the stages that all tasks share, by level; empty for none.
        start: what the branches read.
        stages: each task's own, in the order of the model.
        kernels: by level, what can be tied: trained variables of two dimensions or more. Biases and the scales and
            offsets of normalisations stay each task's own, as their moving statistics do. It is what was trained when
            the model was built, though it be frozen since.
    """

    stem: Maps
    start: keras.KerasTensor
    stages: dict[str, Stages]
    kernels: dict[str, Kernels]

    @property
    def tasks(self) -> list[str]:
        """The names of the tasks, in the order of the model."""
        return list(self.stages)

    def run(self) -> dict[str, Maps]:
        """Return each task's maps, with branches that know nothing of each other."""
        return {task: self.stem | run_stages(stages, self.start) for task, stages in self.stages.items()}

    def kept(self, model: keras.Model) -> list[str]:
        """Return the tasks whose branches a model has."""
        there = {layer.name for layer in model.layers}
        return [task for task, stages in self.stages.items() if all(stage.name in there for _, stage in stages)]


def stem_and_branches(
    name: str,
    until: str | None,
    image: keras.KerasTensor,
    tasks: Iterable[str],
    make_stages: Callable[[str], Stages],
) -> Branches:
    """Build the stages that all tasks share and those that each has of its own.

    Args:
        name: of the scheme, for the message.
        until: the last level of the stem; None for none.
        image: what the stem reads.
        tasks: their names.
        make_stages: as for `Scheme.build`.

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
    stages = {task: make_stages(f"{task}_")[len(stem) :] for task in tasks}
    kernels = {
        level[0][0]: [list(kernel) for kernel in zip(*(_kernels(stage) for _, stage in level), strict=True)]
        for level in zip(*stages.values(), strict=True)
    }
    return Branches(stem, start, stages, kernels)


def _kernels(stage: keras.Model) -> list[keras.Variable]:
    return [variable for variable in stage.trainable_variables if len(variable.shape) > 1]
