"""Attention between the cells of maps of any height and width, and the transformer block around it."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

OnMap = Callable[[keras.KerasTensor], keras.KerasTensor]

FORBIDDEN = -1e9  # a logit whose softmax is 0, and that has no row of such alone be NaN


def attend(query: Any, key: Any, value: Any, bias: Any = 0.0) -> Any:
    """Return what queries find: `softmax(Q K^T / sqrt(d) + bias) V`, the softmax in float32.

    Args:
        query: `[..., N, d]`.
        key: `[..., M, d]`.
        value: `[..., M, d]`.
        bias: of the logits, anything that broadcasts to `[..., N, M]`.

    Returns:
        `[..., N, d]`.

    Reference: Vaswani et al. 2017, Attention Is All You Need, equation 1.
    """
    logits = ops.matmul(query / math.sqrt(query.shape[-1]), ops.swapaxes(key, -1, -2))
    weights = ops.softmax(ops.cast(logits, "float32") + bias, axis=-1)
    return ops.matmul(ops.cast(weights, value.dtype), value)


@keras.saving.register_keras_serializable("visionmtl")
class MapAttention(keras.layers.Layer):
    """Every cell of a map attends to all cells of another, which may be smaller. It has no weights.

    Args:
        heads: the channels are parted among; a divisor of them.

    Call: queries `[B, H, W, C]`, keys `[B, h, w, C]` and values `[B, h, w, C]` -> `[B, H, W, C]`.
    """

    def __init__(self, heads: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.heads = heads

    def call(self, inputs: Any) -> Any:
        shape = ops.shape(inputs[0])
        channels = inputs[0].shape[-1]
        parted = [ops.reshape(x, (shape[0], -1, self.heads, channels // self.heads)) for x in inputs]
        found = attend(*(ops.swapaxes(x, 1, 2) for x in parted))
        return ops.reshape(ops.swapaxes(found, 1, 2), (*shape[:3], channels))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"heads": self.heads}


@keras.saving.register_keras_serializable("visionmtl")
class WindowAttention(keras.layers.Layer):
    """Every cell of a map attends to the cells of its window, with a learnt bias for how far away each is.

    Windows that stick out of the map at the right and below are filled up with cells to which nothing attends; the
    paper's code has zeros attended to there. With a shift, windows lie half a window further, and the strips that this
    leaves at the left and on top have windows of their own; a map of one window is not shifted.

    Args:
        heads: the channels are parted among; a divisor of them.
        window: cells on a side of a window.
        shifted: whether windows lie half a window further down and to the right.

    Call: queries, keys and values, each `[B, H, W, C]` -> `[B, H, W, C]`.

    Reference: Liu et al. 2021, Swin Transformer, equation 4 and figure 4.
    """

    def __init__(self, heads: int, window: int = 7, shifted: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.heads, self.window, self.shifted = heads, window, shifted
        cells = np.stack(np.meshgrid(np.arange(window), np.arange(window), indexing="ij"), axis=-1).reshape(-1, 2)
        away = cells[:, None] - cells[None] + window - 1
        self._places = away[..., 0] * (2 * window - 1) + away[..., 1]  # of each pair of cells in the table, [N, N]

    def build(self, input_shape: Any) -> None:
        self.bias = self.add_weight(
            name="bias",
            shape=((2 * self.window - 1) ** 2, self.heads),
            initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        batch, height, width, _ = ops.shape(inputs[0])
        channels = inputs[0].shape[-1]
        rows, columns = (-(-side // self.window) * self.window for side in (height, width))
        shift = self.window // 2 if self.shifted and (height > self.window or width > self.window) else 0

        def windows(x: Any) -> Any:  # [B, windows, heads, cells, C / heads]
            x = _rolled(ops.pad(x, ((0, 0), (0, rows - height), (0, columns - width), (0, 0))), shift)
            x = ops.reshape(x, (batch, rows // self.window, self.window, -1, self.window, channels))
            x = ops.reshape(ops.swapaxes(x, 2, 3), (batch, -1, self.window**2, self.heads, channels // self.heads))
            return ops.swapaxes(x, 2, 3)

        distance = ops.take(ops.cast(ops.convert_to_tensor(self.bias), "float32"), self._places, axis=0)
        bias = ops.transpose(distance, (2, 0, 1)) + self._forbidden(height, width, rows, columns, shift)
        query, key, value = map(windows, inputs)
        x = ops.swapaxes(attend(query, key, value, bias), 2, 3)
        x = ops.reshape(x, (batch, rows // self.window, -1, self.window, self.window, channels))
        x = ops.reshape(ops.swapaxes(x, 2, 3), (batch, rows, columns, channels))
        return _rolled(x, -shift)[:, :height, :width]

    def _forbidden(self, height: int, width: int, rows: int, columns: int, shift: int) -> np.ndarray:
        """Return what keeps cells from attending to some of their window, `[windows, 1, cells, cells]`."""
        places = np.full((rows, columns), -1)  # of no picture
        places[:height, :width] = 0
        places = np.roll(places, (-shift, -shift), (0, 1))
        if shift:  # the last windows hold cells of both sides of the map
            regions = np.add.outer(2 * (np.arange(rows) >= rows - shift), np.arange(columns) >= columns - shift)
            places = np.where(places < 0, places, regions)
        size = self.window
        places = places.reshape(rows // size, size, -1, size).swapaxes(1, 2).reshape(-1, size**2)
        apart = (places[:, :, None] != places[:, None]) | (places[:, None] < 0)
        return np.where(apart, FORBIDDEN, 0.0).astype("float32")[:, None]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"heads": self.heads, "window": self.window, "shifted": self.shifted}


def _rolled(x: Any, shift: int) -> Any:
    """Return a map `[B, H, W, C]` whose first rows and columns are put last; LiteRT has no operation that rolls."""
    if not shift:
        return x
    x = ops.concatenate([x[:, shift:], x[:, :shift]], axis=1)
    return ops.concatenate([x[:, :, shift:], x[:, :, :shift]], axis=2)


def dense(channels: int, name: str, **options: Any) -> keras.layers.Dense:
    """Return a dense layer over the channels of a map, initialised as those of vision transformers are."""
    start = keras.initializers.TruncatedNormal(stddev=0.02)
    return keras.layers.Dense(channels, kernel_initializer=start, name=name, **options)


def normalised(x: keras.KerasTensor, name: str, epsilon: float = 1e-6) -> keras.KerasTensor:
    """Return a map whose every cell has channels of mean 0 and variance 1, by a learnt scale and offset."""
    return keras.layers.LayerNormalization(epsilon=epsilon, name=name)(x)


def block(
    x: keras.KerasTensor,
    attention: keras.layers.Layer,
    name: str,
    epsilon: float = 1e-6,
    reduced: OnMap | None = None,
    within: OnMap | None = None,
) -> keras.KerasTensor:
    """Return a map after a transformer block: `x + attention(norm(x))`, then that `y` as `y + mlp(norm(y))`.

    Args:
        x: `[B, H, W, C]`.
        attention: a layer of queries, keys and values.
        name: prefix of the layers' names.
        epsilon: of the normalisations.
        reduced: makes of the normalised map the one that keys and values are read from; None for the same.
        within: what is done to the map of 4 C channels within the perceptron, before its activation.
    """
    channels = x.shape[-1]
    read = normalised(x, f"{name}_norm1", epsilon)
    source = read if reduced is None else reduced(read)
    three = [dense(channels, f"{name}_query")(read)]
    three += [dense(channels, f"{name}_{what}")(source) for what in ("key", "value")]
    found = dense(channels, f"{name}_project")(attention(three))
    x = keras.layers.Add(name=f"{name}_attended")([x, found])
    hidden = dense(4 * channels, f"{name}_expand")(normalised(x, f"{name}_norm2", epsilon))
    hidden = hidden if within is None else within(hidden)
    hidden = keras.layers.Activation("gelu", name=f"{name}_gelu")(hidden)
    return keras.layers.Add(name=f"{name}_added")([x, dense(channels, f"{name}_shrink")(hidden)])
