"""Where the tasks' own ways through a stage begin, which layers low-rank updates adapt, and what is read of whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras

from visionmtl import keras_graph
from visionmtl.backbones.attention import MapAttention, WindowAttention
from visionmtl.errors import UsageError
from visionmtl.sharing.base.stages import between_kernels

READ_BY_ATTENTION = ("query", "key", "value")
OF_A_BLOCK = (*READ_BY_ATTENTION, "project", "expand", "shrink")  # the dense layers of a transformer's block


@dataclass(frozen=True)
class Tap:
    """A tensor of the shared pass that the tasks' ways read.

    Attributes:
        tensor: a symbolic one of the stage's graph.
        plain: whether it is read as its layer made it, without the shared update.
    """

    tensor: keras.KerasTensor
    plain: bool = False

    @property
    def key(self) -> tuple[int, bool]:
        """By which it is known."""
        return id(self.tensor), self.plain


@dataclass(frozen=True, eq=False)
class TaskPath:
    """A stage's graph, and what of it each task computes anew.

    Attributes:
        nodes: the calls of the stage's layers, in the order in which they run.
        source: what the stage reads.
        end: what it hands on.
        adapted: those calls that the shared updates adapt.
        own: those calls, of the last block, that each task's updates adapt.
        path: those calls whose outputs differ by task, in order.
        taps: what the path reads of the shared pass.
    """

    nodes: list[Any]
    source: keras.KerasTensor
    end: keras.KerasTensor
    adapted: list[Any]
    own: list[Any]
    path: list[Any]
    taps: list[Tap]


def task_path(stage: keras.Model, level: str, last: bool) -> TaskPath:
    """Return a task's way through the last block of a stage: of a transformer its attention and perceptron.

    Where a stage is a single block, or no map lies between two of its layers, all of it is the last block.

    Args:
        stage: of a backbone.
        level: which.
        last: whether no stage reads what it hands on.

    Raises:
        UsageError: nothing in the stage can be adapted, or a layer that keeps statistics of its own is in the way.
    """
    nodes = keras_graph.ordered(stage)
    attention = [
        place for place, node in enumerate(nodes) if isinstance(node.operation, (MapAttention, WindowAttention))
    ]
    begins = [place for place in between_kernels(stage) if not attention or place < attention[-1]]
    behind = nodes[begins[0] + 1 :] if begins else nodes
    own = [node for node in behind if _adaptable(node, bool(attention)) and _part(node) not in READ_BY_ATTENTION]
    if not own:
        raise UsageError(
            f"sharing 'adapters' finds no dense layer or convolution to adapt in the last block of '{stage.name}', the"
            f" backbone's stage {level}: choose another backbone, or another sharing scheme."
        )
    path, differ = _differing(nodes, own)
    for node in path:
        _check(node, stage, level)
    read = [tensor for node in path for tensor in node.input_tensors if id(tensor) not in differ]
    led = _leading(nodes, read if last else [stage.output], [node.outputs[0] for node in own])
    adapted = [node for node in nodes if _adaptable(node, bool(attention)) and id(node.outputs[0]) in led]
    return TaskPath(nodes, stage.input, stage.output, adapted, own, path, _taps(path, own, differ))


def _part(node: Any) -> str:
    return node.operation.name.rpartition("_")[2]


def _adaptable(node: Any, transformer: bool) -> bool:
    """Return whether a call is of a linear layer: a transformer's dense ones in blocks, else all and convolutions."""
    layer = node.operation
    if getattr(layer, "activation", None) not in (None, keras.activations.linear):
        return False
    if transformer:
        return isinstance(layer, keras.layers.Dense) and _part(node) in OF_A_BLOCK
    return isinstance(layer, keras.layers.Dense) or (isinstance(layer, keras.layers.Conv2D) and layer.groups == 1)


def _differing(nodes: list[Any], own: list[Any]) -> tuple[list[Any], set[int]]:
    """Return the calls whose outputs differ by task, and the outputs, by their ids."""
    path: list[Any] = []
    differ: set[int] = set()
    for node in nodes:
        if node in own or any(id(tensor) in differ for tensor in node.input_tensors):
            path.append(node)
            differ.update(id(made) for made in node.outputs)
    return path, differ


def _taps(path: list[Any], own: list[Any], differ: set[int]) -> list[Tap]:
    """Return what a path reads of the shared pass, each once."""
    taps: dict[tuple[int, bool], Tap] = {}
    for node in path:
        read = [Tap(tensor) for tensor in node.input_tensors if id(tensor) not in differ]
        if node in own:
            read.append(Tap(node.outputs[0], plain=True))
        elif isinstance(node.operation, keras.layers.BatchNormalization):
            read += [Tap(node.input_tensors[0]), Tap(node.outputs[0])]
        taps.update({tap.key: tap for tap in read})
    return list(taps.values())


def _leading(nodes: list[Any], wanted: Iterable[Any], plain: Iterable[Any]) -> set[int]:
    """Return the ids of tensors that are wanted or lead there, or to those of which the plain value is wanted."""
    led, made_plain = {id(tensor) for tensor in wanted}, {id(tensor) for tensor in plain}
    for node in reversed(nodes):
        if any(id(made) in led or id(made) in made_plain for made in node.outputs):
            led.update(id(tensor) for tensor in node.input_tensors)
    return led


def _check(node: Any, stage: keras.Model, level: str) -> None:
    """Refuse a layer that would move the statistics of a batch normalisation within it once more for every task."""
    within = node.operation._flatten_layers() if isinstance(node.operation, keras.layers.Layer) else ()
    for layer in within:
        if layer is not node.operation and isinstance(layer, keras.layers.BatchNormalization):
            raise UsageError(
                f"sharing 'adapters' cannot lead tasks past '{node.operation.name}' of '{stage.name}', the backbone's"
                f" stage {level}: a batch normalisation is hidden in that layer. Choose another backbone, or another"
                " sharing scheme."
            )
