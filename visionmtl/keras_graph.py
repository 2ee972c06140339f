"""What leads to what in a functional Keras model: calls of layers, and the tensors they read."""

from collections.abc import Iterable, Iterator
from typing import Any

import keras

Node = tuple[int, int]  # an operation, by its id, and which of its calls


def key(tensor: keras.KerasTensor) -> Node:
    """Return the call that made a symbolic tensor."""
    operation, call, _ = tensor._keras_history
    return id(operation), call


def made_by(tensor: keras.KerasTensor) -> str:
    """Return the name of the layer that made a symbolic tensor."""
    return tensor._keras_history[0].name


def calls(tensors: Iterable) -> dict[Node, list]:
    """Return the calls of layers that lead to some symbolic tensors, each with the tensors it read."""
    return {key(made): list(_call(made).input_tensors) for made in _walk(tensors)}


def operations(tensors: Iterable) -> dict[Node, keras.Operation]:
    """Return, for the calls that lead to some symbolic tensors, what is called: a layer, or a function of Keras's."""
    return {key(made): made._keras_history[0] for made in _walk(tensors)}


def layers(tensors: Iterable) -> list[keras.layers.Layer]:
    """Return the layers that lead to some symbolic tensors, each once, the nearest first."""
    called = {id(made._keras_history[0]): made._keras_history[0] for made in _walk(tensors)}
    return [operation for operation in called.values() if isinstance(operation, keras.layers.Layer)]


def outputs(operation: keras.Operation, node: Node) -> list[keras.KerasTensor]:
    """Return the symbolic tensors that a call of an operation made."""
    return list(operation._inbound_nodes[node[1]].output_tensors)


def ordered(model: keras.Model) -> list[Any]:
    """Return a functional model's calls in the order in which Keras runs them, as the nodes that it keeps of them."""
    depths = sorted(model._nodes_by_depth, reverse=True)
    return [node for depth in depths for node in model._nodes_by_depth[depth] if not node.is_input]


def _call(tensor: keras.KerasTensor) -> Any:
    operation, call, _ = tensor._keras_history
    return operation._inbound_nodes[call]


def _walk(tensors: Iterable) -> Iterator[keras.KerasTensor]:
    """Yield one of the tensors of each call that leads to some tensors."""
    seen: set[Node] = set()
    todo = list(tensors)
    while todo:
        tensor = todo.pop()
        if key(tensor) not in seen:
            seen.add(key(tensor))
            yield tensor
            todo += _call(tensor).input_tensors
