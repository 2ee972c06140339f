"""Low-rank updates of dense layers and convolutions, and the layers that run a stage with them."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from visionmtl.sharing.base.task_path import TaskPath

NAMES = ("_down", "_up")  # how those of A and of B end

Matrices = list[tuple[Any, Any]]  # down and up of each adapted call


def low_rank(x: Any, down: Any, up: Any, scale: float, **convolution: Any) -> Any:
    """Return a low-rank update, `scale * (x A) B`, of what a linear layer makes of x.

    Of a convolution, A is one of its size, stride and padding with r filters, and B acts on each cell.

    Args:
        x: `[B, H, W, C]`.
        down: A, `[C, r]`, or of a convolution `[h, w, C, r]`.
        up: B, `[r, D]`.
        scale: of the update.
        convolution: options of `keras.ops.conv`, if it is one.

    Returns:
        `[B, H', W', D]`, of the type of x.

    Reference: Hu et al. 2022, LoRA: Low-Rank Adaptation of Large Language Models, equation 3.
    """
    down, up = ops.cast(down, x.dtype), ops.cast(up, x.dtype)
    hidden = ops.conv(x, down, **convolution) if len(down.shape) == 4 else ops.matmul(x, down)
    return scale * ops.matmul(hidden, up)


def add_matrices(layer: keras.layers.Layer, nodes: Sequence[Any], rank: int) -> Matrices:
    """Give a layer A and B for each of some calls of linear layers, and return them.

    A is uniform within `1 / sqrt(fan in)`, as in the authors' code, and B zero, so that nothing is changed at first. A
    layer of fewer channels than the rank has a rank of as many: more could not do more.
    """
    matrices = []
    for node in nodes:
        kernel = tuple(node.operation.kernel.shape)
        least = min(rank, *kernel[-2:])
        uniform = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
        name = node.operation.name
        down = layer.add_weight(name=name + NAMES[0], shape=(*kernel[:-1], least), initializer=uniform)
        up = layer.add_weight(name=name + NAMES[1], shape=(least, kernel[-1]), initializer="zeros")
        matrices.append((down, up))
    return matrices


class LowRankMatrices(keras.layers.Layer):
    """Hand on the matrices of the updates that all tasks share, which a stage reads.

    Args:
        path: the stage.
        rank: of the updates.

    Call: anything -> A and B of each adapted call, one after the other.
    """

    def __init__(self, path: TaskPath, rank: int, **kwargs: Any):
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.matrices = add_matrices(self, path.adapted, rank)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return [ops.convert_to_tensor(matrix) for both in self.matrices for matrix in both]


class AdaptedStage(keras.layers.Layer):
    """Run a stage with low-rank updates that all tasks share.

    Its weights are the stage's alone, so that it takes those of one, and is frozen as one.

    Args:
        stage: of a backbone.
        path: what tasks read of it.
        scale: of the updates.

    Call: what the stage reads, and the matrices of `LowRankMatrices`, if there are any -> what the stage hands on, and
    the taps of the path.
    """

    def __init__(self, stage: keras.Model, path: TaskPath, scale: float):
        super().__init__(name=stage.name, dtype="float32", autocast=False)
        self.stage, self.scale = stage, scale
        self._way = path  # no layer and no list, so that Keras does not count its layers twice
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x, *flat = inputs
        given = dict(zip(map(id, self._way.adapted), zip(flat[::2], flat[1::2], strict=True), strict=bool(flat)))
        values, plain = {id(self._way.source): x}, {}
        for node in self._way.nodes:
            made = run(node, values)
            plain.update(made)
            if id(node) in given:
                made = {key: updated(node, value, values, *given[id(node)], self.scale) for key, value in made.items()}
            values.update(made)
        taps = [(plain if tap.plain else values)[id(tap.tensor)] for tap in self._way.taps]
        return [values[id(self._way.end)], *taps]


class TaskAdapters(keras.layers.Layer):
    """Run a task's way through the last block of a stage, with updates of its own.

    The layers on it are the stage's, whose weights are not this layer's. What a linear layer makes is that of the
    shared pass plus the update of what the task has. A batch normalisation keeps to the statistics of the shared pass:
    what is different passes through it as through a scale, `gamma / sqrt(moving variance + epsilon)`.

    Args:
        path: the way.
        rank: of the updates.
        scale: of the updates.

    Call: the taps of the path -> the task's map of the level.
    """

    def __init__(self, path: TaskPath, rank: int, scale: float, **kwargs: Any):
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self._way, self.scale = path, scale
        self.matrices = add_matrices(self, path.own, rank)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        shared = {tap.key: tensor for tap, tensor in zip(self._way.taps, inputs, strict=True)}
        values = {key: tensor for (key, plain), tensor in shared.items() if not plain}
        own = dict(zip(map(id, self._way.own), self.matrices, strict=True))
        ahead = dict(values)  # of the shared pass, where the task's are different
        for node in self._way.path:
            out = id(node.outputs[0])
            if id(node) in own:
                values[out] = updated(node, shared[out, True], values, *own[id(node)], self.scale)
            elif isinstance(node.operation, keras.layers.BatchNormalization):
                read = id(node.input_tensors[0])
                values[out] = ahead[out] + _scaled(node.operation, values[read] - ahead[read])
            else:
                values.update(run(node, values))
        return values[id(self._way.end)]


def run(node: Any, values: Mapping[int, Any]) -> dict[int, Any]:
    """Return what a call of a layer makes of tensors, by the ids of the symbolic ones."""
    args, kwargs = node.arguments.fill_in(values)
    if isinstance(node.operation, keras.layers.Layer):
        kwargs.pop("training", None)  # it is told by the call of the layer in which this runs
    made = keras.tree.flatten(node.operation(*args, **kwargs))
    return {id(symbol): tensor for symbol, tensor in zip(node.outputs, made, strict=True)}


def updated(node: Any, made: Any, values: Mapping[int, Any], down: Any, up: Any, scale: float) -> Any:
    """Return what a linear layer made plus the low-rank update of what it read."""
    layer, options = node.operation, {}
    if isinstance(layer, keras.layers.Conv2D):
        options = {name: getattr(layer, name) for name in ("strides", "padding", "dilation_rate", "data_format")}
    x = ops.cast(values[id(node.input_tensors[0])], made.dtype)
    return made + low_rank(x, down, up, scale, **options)


def _scaled(layer: keras.layers.BatchNormalization, x: Any) -> Any:
    """Return how much a batch normalisation changes what it makes, if what it reads changes by x."""
    scale = ops.rsqrt(ops.convert_to_tensor(layer.moving_variance) + layer.epsilon)
    if layer.scale:
        scale = scale * ops.convert_to_tensor(layer.gamma)
    return x * ops.cast(scale, x.dtype)
