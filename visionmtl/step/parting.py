"""Where the tasks of a functional model part: the layers that they share, and the features that these hand on."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import keras

from visionmtl.errors import UsageError
from visionmtl.keras_graph import Node, calls, key


class Parting(NamedTuple):
    """Where the tasks of a model part: all of them use what is before, the trunk.

    Attributes:
        common: the calls of layers that every task uses.
        features: the symbolic tensors that the trunk hands on.
        apart: two tasks that read no feature in common, or None.
    """

    common: set[Node]
    features: list
    apart: tuple[str, str] | None


def parting(model: keras.Model, outputs: dict[str, list]) -> Parting | None:
    """Return where the tasks of a model part; None where they have no layer in common.

    Args:
        model: a functional model.
        outputs: of each task, the symbolic outputs its loss is made of.
    """
    paths = {task: calls(tensors) for task, tensors in outputs.items()}
    return _cut(paths, outputs, _common(model, paths))


def last_layers(model: keras.Model, outputs: dict[str, list]) -> Parting | None:
    """Return the cut before the last layers that all tasks share, so that these lie with the heads.

    These are the trained layers next to where the tasks part and all behind them; if that is more than a quarter of
    what the tasks share, only those of them that no other follows.
    """
    paths = {task: calls(tensors) for task, tensors in outputs.items()}
    common = _common(model, paths)
    cut = _cut(paths, outputs, common)
    if cut is None:
        return None
    inputs = next(iter(paths.values()))
    layers = {id(layer): layer for layer in model.layers}
    weighs = {node: sum(math.prod(v.shape) for v in _trained(layers, node)) for node in common}
    nearest = set().union(*(_nearest(key(feature), inputs, weighs, common) for feature in cut.features))
    behind = _behind(nearest, inputs, common)
    if sum(weighs[node] for node in behind) > sum(weighs.values()) / 4:
        nearest = {node for node in nearest if not nearest & (_behind({node}, inputs, common) - {node})}
        behind = _behind(nearest, inputs, common)
    return _cut(paths, outputs, common - behind) if nearest else None


class Level(NamedTuple):
    """A level that all tasks share.

    Attributes:
        cut: the cut before its stage; None where nothing that is handed on lies before it.
        variables: those that are trained in its stage.
    """

    cut: Parting | None
    variables: list


def level(
    model: keras.Model, outputs: dict[str, list], stages: Mapping[str, Sequence[keras.layers.Layer]], name: str
) -> Level:
    """Return a level that all tasks share.

    Args:
        model: a functional model.
        outputs: of each task, the symbolic outputs its loss is made of.
        stages: the layers of the stage of each level, by its name.
        name: of the level.

    Raises:
        UsageError: there is no such level, one of the tasks does not use it, or nothing of it is trained.
    """
    paths = {task: calls(tensors) for task, tensors in outputs.items()}
    common, used = _common(model, paths), set().union(*paths.values())
    shared, trained = {}, {}
    for each, layers in stages.items():
        nodes = {node for node in used if node[0] in {id(layer) for layer in layers}}
        variables = [variable for layer in layers for variable in layer.trainable_variables]
        if nodes and nodes <= common and variables:
            shared[each], trained[each] = nodes, variables
    if name not in shared:
        there = ", ".join(shared) or "none"
        raise UsageError(
            f"scope='{name}' compares the gradients of a level that is trained and that all tasks use, which here are"
            f" {there}: choose one of these, or scope='parameters'."
        )
    behind = _behind(shared[name], next(iter(paths.values())), common)
    return Level(_cut(paths, outputs, common - behind), trained[name])


def _common(model: keras.Model, paths: dict[str, dict[Node, list]]) -> set[Node]:
    """Return the calls of layers that every task uses."""
    return set.intersection(*(set(nodes) for nodes in paths.values())) - {key(symbol) for symbol in model.inputs}


def _cut(paths: dict[str, dict[Node, list]], outputs: dict[str, list], common: set[Node]) -> Parting | None:
    """Return the cut behind some calls of layers; None if nothing is handed on."""
    features: dict[int, keras.KerasTensor] = {}
    readers: dict[str, set[int]] = {task: set() for task in outputs}
    for task, nodes in paths.items():
        read = [tensor for node, inputs in nodes.items() if node not in common for tensor in inputs]
        for tensor in [*read, *outputs[task]]:
            if key(tensor) in common:
                features[id(tensor)] = tensor
                readers[task].add(id(tensor))
    if not features:
        return None
    apart = next((pair for pair in itertools.combinations(outputs, 2) if not readers[pair[0]] & readers[pair[1]]), None)
    return Parting(common, list(features.values()), apart)


def _trained(layers: dict[int, keras.layers.Layer], node: Node) -> list:
    return layers[node[0]].trainable_variables if node[0] in layers else []


def _nearest(node: Node, inputs: dict[Node, list], weighs: dict[Node, int], common: set[Node]) -> set[Node]:
    """Return the first calls of trained layers on the ways back from a call."""
    if node not in common:
        return set()
    if weighs[node]:
        return {node}
    return set().union(*(_nearest(key(tensor), inputs, weighs, common) for tensor in inputs[node]))


def _behind(start: set[Node], inputs: dict[Node, list], common: set[Node]) -> set[Node]:
    """Return some calls and all common ones that read, through whatever, what they made."""
    behind, grown = set(start), True
    while grown:
        more = {node for node in common - behind if any(key(tensor) in behind for tensor in inputs[node])}
        behind, grown = behind | more, bool(more)
    return behind


def check_common(cut: Parting | None, tasks: list[str]) -> None:
    """Raise UsageError where two tasks read no feature in common."""
    pair = tasks[:2] if cut is None else cut.apart
    if pair and len(tasks) > 1:
        raise UsageError(
            f"scope='features' compares gradients at features that tasks share, and '{pair[0]}' and '{pair[1]}' read"
            " none in common in this model: choose scope='parameters' or share more."
        )


def variables(model: keras.Model, outputs: dict[str, list]) -> list:
    """Return the trained variables of the layers that two tasks or more use."""
    shared = {id(variable) for layer in _shared(model, outputs) for variable in layer.trainable_variables}
    return [variable for variable in model.trainable_variables if id(variable) in shared]


def frozen(model: keras.Model, outputs: dict[str, list]) -> bool:
    """Return whether a layer that two tasks or more use has weights that it does not learn now, and otherwise would."""
    return any(not layer.trainable and layer.weights for layer in _shared(model, outputs))


def _shared(model: keras.Model, outputs: dict[str, list]) -> list[keras.layers.Layer]:
    """Return the layers that two tasks or more use."""
    users: dict[int, set[str]] = {}
    for task, tensors in outputs.items():
        for operation, _ in calls(tensors):
            users.setdefault(operation, set()).add(task)
    return [layer for layer in model.layers if len(users.get(id(layer), ())) > 1]
