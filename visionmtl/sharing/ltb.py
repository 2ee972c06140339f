"""LTB, learning to branch: a tree is searched that says up to which depth which tasks share a backbone's stages.

At every level stand as many branches of the backbone as there are tasks, each of which reads one of the level before,
and a task reads one of the last. Which one is drawn anew in each step, with probabilities that learn from all losses,

    d = onehot(argmax_i(log p_i + g_i)),  g standard Gumbel noise,  and backwards softmax((log p + g) / temperature),

until the likeliest are taken for good and the tree is trained further as it is. Predictions are made by the likeliest
at any time, and an export has the branches that they lead through alone. Take it where you would cut a backbone by hand
(`hard` with `until`) and do not know where, or for which tasks. It costs a backbone and a neck a task in training, and
in an export only what its tree has.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from visionmtl.errors import UsageError, check_number, one_of
from visionmtl.sharing.base.built import Made, Matrix
from visionmtl.sharing.base.choices import Choice, Chosen, Path, likeliest, temperature
from visionmtl.sharing.base.scheme import MakeStages, Scheme, Tasks
from visionmtl.sharing.base.stages import Branches, Maps, stem_and_branches

WARM = 0.01  # of a search: its first part, in which probabilities do not learn yet
Tree = dict[str, list[int]]  # by task, the number of its branch at each level


@dataclass(frozen=True)
class LTB(Scheme):
    """A tree of backbone stages, searched in training: which tasks share up to where.

    The forward rule is the paper's, and the schedule that of LibMTL's code: its temperature, 10 over the root of the
    epoch in 200 epochs, takes the same course over as many as are searched here, and in their first hundredth
    probabilities do not learn. Elsewhere that code is not followed. Its warming up adds all maps up, which makes them K
    times as large; here they are drawn, each as likely as the others. There a task owns a branch of the last level, and
    noise is drawn when predicting, too; here a task chooses its branch, and the likeliest are what predicts. There the
    tree is never settled, and ends in one map; here a task reads the maps of all levels on its way.

    Args:
        branches: how many stand at each level, at least 1; None for as many as there are tasks, more than which no tree
            has use for.
        temperature: of the gradient as a search begins, above 0.
        search: for which part of the epochs the tree is searched, above 0 and up to 1; then it is settled. 1 settles
            nothing before the end. A training that starts from a run that has settled keeps to its tree.
        rate: how many times as fast as the network the probabilities learn, above 0.
        until: the last level of a stem that all tasks share, such as "P2"; None searches from the image on.
        tree: `{task: [branch, ...]}`, for all tasks the numbers of their branches, from 1, at each level behind the
            stem: the tree as it ends, of the branches that it has and no others, and nothing is searched. None
            searches. The end of a training prints it, and `model.start` gives it the trained branches.

    Reference: Guo, Lee and Ulbricht 2020, Learning to Branch for Multi-Task Learning; Lin and Zhang 2023, LibMTL.

    Example:
        >>> from visionmtl import sharing
        >>> tree = {"classification": [1, 1, 2, 2], "detection": [1, 1, 1, 1], "segmentation": [1, 1, 1, 3]}
        >>> scheme = sharing.get("ltb", tree=tree)
        >>> visionmtl.MultiTaskModel(tasks, sharing=scheme).parts["P3"][0].startswith("ltb_1")
        True
    """

    branches: int | None = None
    temperature: float = 10.0
    search: float = 0.5
    rate: float = 10.0
    until: str | None = None
    tree: Mapping[str, Sequence[int]] | None = None

    name = "ltb"

    def __post_init__(self) -> None:
        who = f"sharing '{self.name}'"
        if self.branches is not None:
            check_number(who, "branches", self.branches, at_least=1, whole=True)
        check_number(who, "temperature", self.temperature, above=0)
        check_number(who, "search", self.search, above=0, up_to=1)
        check_number(who, "rate", self.rate, above=0)
        for option in fields(self) if self.tree is not None else ():
            if option.name not in ("tree", "until") and getattr(self, option.name) != option.default:
                raise UsageError(
                    f"{who} was given a tree and {option.name}={getattr(self, option.name)}, which is of a search:"
                    " leave one of them out."
                )

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        if self.tree is not None:
            numbers = sorted({number for path in _paths(self.tree, list(tasks)).values() for number in path})
        else:
            numbers = list(range(1, (self.branches or len(tasks)) + 1))
        names = [f"{self.name}_{number}" for number in numbers]
        branches = stem_and_branches(self.name, self.until, image, names, make_stages)
        if self.tree is None:
            return self._searched(branches, list(tasks), image)
        tree, levels = _paths(self.tree, list(tasks)), list(branches.kernels)
        _check(tree, levels)
        made: Maps = {}  # by the level and the branch
        for place, level in enumerate(levels):
            for path in tree.values():
                read = made[_node(levels[place - 1], path[place - 1])] if place else branches.start
                if (node := _node(level, path[place])) not in made:
                    made[node] = branches.stages[f"{self.name}_{path[place]}"][place][1](read)
        ways = {
            task: {level: made[_node(level, number)] for level, number in zip(levels, path, strict=True)}
            for task, path in tree.items()
        }
        return Made({task: branches.stem | ways[task] for task in tasks}, own_necks=True)

    def _searched(self, branches: Branches, tasks: list[str], image: keras.KerasTensor) -> Made[Maps]:
        """Return what tasks read of all branches, as it is drawn or as it is likeliest."""
        names, levels = list(branches.stages), list(branches.kernels)
        choices: list[Choice] = []

        def choice(name: str, readers: int) -> keras.KerasTensor:
            choices.append(Choice(readers, len(names), name=f"{self.name}_{name}_choice"))
            return choices[-1](image)

        read, drawn, maps = [branches.start] * len(names), [], []
        for place, level in enumerate(levels):
            if place:
                drawn.append(choice(level, len(names)))
                read = Chosen(name=f"{self.name}_{level}_read")([drawn[-1], *read])
            read = [branches.stages[name][place][1](x) for name, x in zip(names, read, strict=True)]
            maps += read
        features, owned = {}, {}
        for task in tasks:
            path = Path(len(levels), name=f"{self.name}_{task}_path")
            made = path([*drawn, choice(task, 1), *maps])
            features[task] = branches.stem | dict(zip(levels, made, strict=True))
            owned[task] = [choices[-1].name, path.name]
        return Made(
            features,
            owned=owned,
            own_necks=True,
            rates={each.name: self.rate for each in choices},
            learnt=partial(self._learnt, levels, tasks),
            began=partial(self._began, choices),
        )

    def _began(self, choices: Sequence[Choice], epoch: int, epochs: int) -> None:
        """Search, at the temperature of an epoch, or settle."""
        searched = max(1, round(self.search * epochs))
        for each in choices:
            if epoch >= searched:
                each.settle()
            elif epoch < int(WARM * searched):
                each.search(0.0)
            else:
                each.search(1 / temperature(self.temperature, epoch, searched))

    def _learnt(self, levels: list[str], tasks: list[str], model: keras.Model) -> dict[str, Matrix]:
        """Return with which probability a branch or task (row) reads a branch (column), and the tree as it is."""
        readers = {level: [f"{level} branch {number + 1}" for number in range(_count(model))] for level in levels[1:]}
        columns = [f"branch {number + 1}" for number in range(_count(model))]
        matrices = {}
        for level, above in zip(levels, [*levels[1:], None], strict=True):
            if above is not None:
                logits, rows = _logits(model, above), readers[above]
            else:
                rows = [task for task in tasks if task in _choices(model)]
                logits = np.concatenate([_logits(model, task) for task in rows])
            matrices[f"choice of {level}"] = Matrix(tf.nn.softmax(logits).numpy(), rows, columns)
        tree = _likeliest(levels, tasks, model)
        for place, level in enumerate(levels):
            taken = np.eye(len(columns), dtype="float32")[[path[place] - 1 for path in tree.values()]]
            matrices[f"tree at {level}"] = Matrix(taken, list(tree), columns)
        return matrices

    def settled(self, model: Any) -> Scheme:
        if self.tree is not None:
            return self
        names = [task["config"]["name"] for task in model.get_config()["tasks"]]
        tree = _likeliest(self._levels(model), names, model)
        other = next(iter(tree.values()))  # of tasks that the model was built with and has no more
        return LTB(until=self.until, tree={task: tree.get(task, other) for task in names})

    def told(self, model: Any) -> list[str]:
        tree = self.tree or _likeliest(self._levels(model), list(model.tasks), model)
        listed = ", ".join(f"{task}: {list(tree[task])}" for task in model.tasks)
        return [f"The tree of sharing '{self.name}', each task's branch at {', '.join(self._levels(model))}: {listed}."]

    def _levels(self, model: Any) -> list[str]:
        """Return the levels at which a model has branches."""
        levels = sorted((part for part in model.parts if re.fullmatch("P[0-9]+", part)), key=lambda part: int(part[1:]))
        return levels if self.until is None else levels[levels.index(self.until) + 1 :]


def _node(level: str, branch: int) -> str:
    return f"{level} {branch}"


def _choices(model: keras.Model) -> dict[str, Choice]:
    """Return the choices of a model, by the level or task that reads."""
    there = [layer for layer in model.layers if isinstance(layer, Choice)]
    return {layer.name.removeprefix("ltb_").removesuffix("_choice"): layer for layer in there}


def _logits(model: keras.Model, reader: str) -> np.ndarray:
    return ops.convert_to_numpy(_choices(model)[reader].logits)


def _count(model: keras.Model) -> int:
    return next(iter(_choices(model).values())).branches


def _likeliest(levels: list[str], tasks: list[str], model: keras.Model) -> Tree:
    """Return the tree of the likeliest choices, of those tasks that a model has."""
    best = {
        reader: np.asarray(likeliest(tf.convert_to_tensor(each.logits))) for reader, each in _choices(model).items()
    }
    tree = {}
    for task in (task for task in tasks if task in best):
        path = [int(np.argmax(best[task][0]))]
        for level in levels[:0:-1]:
            path.append(int(np.argmax(best[level][path[-1]])))
        tree[task] = [number + 1 for number in reversed(path)]
    return tree


def _paths(tree: Any, tasks: list[str]) -> Tree:
    """Return a tree that was given, as far as it can be checked without a backbone.

    Raises:
        UsageError: it is none of these tasks.
    """
    expected = "expected {task: [branch, ...]}, numbers from 1, such as {'depth': [1, 1, 2, 2]}"
    if not isinstance(tree, Mapping):
        raise UsageError(f"sharing 'ltb' was given tree={tree!r}: {expected}.")
    for task in tree:
        one_of(task, tasks, "task of the tree of sharing 'ltb'")
    for task in tasks:
        if task not in tree:
            raise UsageError(f"sharing 'ltb' was given a tree without the task '{task}': {expected}, for all tasks.")
        path = tree[task]
        if not isinstance(path, list | tuple) or not all(type(number) is int and number > 0 for number in path):
            raise UsageError(f"sharing 'ltb' was given {path!r} for '{task}' in its tree: {expected}.")
    return {task: list(tree[task]) for task in tasks}


def _check(tree: Tree, levels: list[str]) -> None:
    """Refuse what is no tree of these levels."""
    for task, path in tree.items():
        if len(path) != len(levels):
            raise UsageError(
                f"sharing 'ltb' was given {path} for '{task}' in its tree: expected a branch for each of"
                f" {', '.join(levels)}."
            )
        for other, beside in tree.items():
            for place, level in enumerate(levels[1:], 1):
                if path[place] == beside[place] and path[place - 1] != beside[place - 1]:
                    raise UsageError(
                        f"sharing 'ltb' was given a tree in which '{task}' and '{other}' share branch {path[place]} at"
                        f" {level}, but not the one before it: give them the same at {levels[place - 1]}, or different"
                        f" ones at {level}."
                    )
