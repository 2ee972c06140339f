"""Task tokens: a transformer in which every task is a token that reads the features and the other tasks.

A learnt vector a task asks the other tasks and a coarse grid of the whole pyramid what matters; its answer scales and
shifts the channels of the task's maps, and strengthens some of them where it looks. Take it where what one task needs
of the features depends on the picture and on the other tasks. It costs a small transformer over at most `tokens` cells,
however large the image, one pointwise convolution a level, and a scale and shift a task and level.
"""

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from visionmtl.errors import UsageError, check_number
from visionmtl.sharing.base.built import Made, Matrix
from visionmtl.sharing.base.running_mean import RunningMean
from visionmtl.sharing.base.scheme import Scheme, Tasks
from visionmtl.sharing.base.stages import Maps

OCTAVES = 5  # the finest wave has 8 periods across the image: two cells of a grid of 16


@dataclass(frozen=True)
class TaskTokens(Scheme):
    """A transformer over the pyramid with a learnt token a task, which conditions the task's maps.

    At the start all tasks read the maps as they are.

    Args:
        dim: width of the tokens, a multiple of `attention_heads`.
        attention_heads: of every attention, at least 1.
        depth: blocks of the transformer, at least 1.
        tokens: most cells of the grid that tasks attend to, at least 1; finer maps are averaged down to it.

    Reference: Vaswani et al. 2017, Attention Is All You Need; Perez et al. 2018, FiLM (scale and shift by a condition);
    Ye and Xu 2023, TaskPrompter (tokens of tasks among tokens of the image).
    """

    dim: int = 64
    attention_heads: int = 4
    depth: int = 2
    tokens: int = 256

    name = "task_tokens"

    def __post_init__(self) -> None:
        for option in ("attention_heads", "dim", "depth", "tokens"):
            check_number(f"sharing '{self.name}'", option, getattr(self, option), at_least=1, whole=True)
        if self.dim % self.attention_heads:
            raise UsageError(
                f"sharing '{self.name}' was given dim={self.dim}: expected a multiple of"
                f" attention_heads={self.attention_heads}."
            )

    def mix(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Maps]:
        shared = next(iter(maps.values()))
        seen = self._seen(shared)
        asking = [TaskEmbedding(self.dim, name=f"task_tokens_embedding_{task}")(seen) for task in tasks]
        tokens = keras.layers.Concatenate(axis=1, name="task_tokens_embeddings")(asking)
        for number in range(1, self.depth + 1):
            tokens = TokenBlock(self.attention_heads, name=f"task_tokens_block_{number}")([tokens, seen])
        tokens = keras.layers.LayerNormalization(name="task_tokens_normalisation")(tokens)
        answers = dict(zip(tasks, ops.unstack(tokens, len(tasks), axis=1), strict=True))

        keys = keras.layers.Conv2D(self.dim, 1, name="task_tokens_keys")
        mixed: dict[str, Maps] = {task: {} for task in tasks}
        for level, x in shared.items():
            key, condition = keys(x), Condition(name=f"task_tokens_condition_{level}")
            for task in tasks:
                mixed[task][level] = condition([x, key, answers[task]])
        return Made(mixed, learnt=partial(_attention, list(tasks), self.depth))

    def _seen(self, maps: Maps) -> keras.KerasTensor:
        """Return what tasks attend to, `[B, N, dim]`: all levels, averaged down to one grid of at most `tokens`."""
        levels = sorted(maps)
        height, width = maps[levels[-1]].shape[1:3]
        factor = next(n for n in itertools.count(1) if math.ceil(height / n) * math.ceil(width / n) <= self.tokens)
        projected = []
        for level in levels:
            size = factor * 2 ** (int(levels[-1][1:]) - int(level[1:]))
            pool = keras.layers.AveragePooling2D(size, padding="same", name=f"task_tokens_pool_{level}")
            project = keras.layers.Conv2D(self.dim, 1, name=f"task_tokens_project_{level}")
            projected.append(project(pool(maps[level])))
        grid = keras.layers.Add(name="task_tokens_levels")(projected) if len(projected) > 1 else projected[0]
        grid = RelativePositions(name="task_tokens_positions")(grid)
        grid = keras.layers.Reshape((-1, self.dim), name="task_tokens_grid")(grid)
        return keras.layers.LayerNormalization(name="task_tokens_grid_normalisation")(grid)


def _attention(tasks: list[str], depth: int, model: keras.Model) -> dict[str, Matrix]:
    """Return how much each task (row) attends to each (column), by block."""
    there, matrices = {layer.name: layer for layer in model.layers}, {}
    for number in range(1, depth + 1):
        block = there.get(f"task_tokens_block_{number}")
        if block is not None and block.between is not None:
            attention: np.ndarray = ops.convert_to_numpy(block.between.mean)
            matrices[f"attention of tasks to each other, block {number}"] = Matrix(attention, tasks, tasks)
    return matrices


@keras.saving.register_keras_serializable("visionmtl")
class TaskEmbedding(keras.layers.Layer):
    """A learnt vector, the same for every image.

    Args:
        dim: its width.

    Call: anything `[B, ...]` -> `[B, 1, dim]`.
    """

    def __init__(self, dim: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.dim = dim

    def build(self, input_shape: Any) -> None:
        # As long as what the blocks add to it; much smaller ones would all be the same task.
        self.embedding = self.add_weight(
            name="embedding", shape=(self.dim,), initializer=keras.initializers.RandomNormal(stddev=1.0)
        )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.broadcast_to(ops.convert_to_tensor(self.embedding), (ops.shape(inputs)[0], 1, self.dim))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], 1, self.dim)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"dim": self.dim}


@keras.saving.register_keras_serializable("visionmtl")
class RelativePositions(keras.layers.Layer):
    """Add to each cell of a map a learnt function of where in the image it is, the same at every size of the map.

    A cell's centre, from 0 to 1 down and across, is told by sines and cosines of up to 8 periods an image and projected
    to the map's channels.

    Call: `[B, H, W, C]` -> the same shape.
    """

    def build(self, input_shape: Any) -> None:
        self.project = keras.layers.Dense(input_shape[-1], use_bias=False, name="project", dtype=self.dtype_policy)
        self.project.build((None, None, 4 * OCTAVES))
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        return inputs + self.project(waves(*ops.shape(inputs)[1:3]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


def waves(height: int, width: int) -> Any:
    """Return sines and cosines of the centres of a map's cells, `[H, W, 20]`.

    Reference: Mildenhall et al. 2020, NeRF, equation 4.
    """
    y, x = ((ops.arange(side, dtype="float32") + 0.5) / side for side in (height, width))
    places = ops.stack(ops.meshgrid(y, x, indexing="ij"), axis=-1)
    angles = math.pi * ops.reshape(places[..., None] * 2.0 ** ops.arange(OCTAVES, dtype="float32"), (height, width, -1))
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)


@keras.saving.register_keras_serializable("visionmtl")
class TokenBlock(keras.layers.Layer):
    """Tokens read each other, if there are several, then what is seen, then themselves; each step adds to them.

    Args:
        heads: of both attentions; the tokens' width is a multiple.

    Attributes:
        between: keeps in `between.mean` `[K, K]` how much each token (row) has attended to each lately; None for one.

    Call: tokens `[B, K, dim]` and what is seen `[B, N, dim]`, normalised -> tokens `[B, K, dim]`.

    Reference: Xiong et al. 2020, On Layer Normalization in the Transformer Architecture (before each step).
    """

    def __init__(self, heads: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, input_shape: Any) -> None:
        tokens, seen = (tuple(shape) for shape in input_shape)
        dim, policy = tokens[-1], self.dtype_policy
        self.normalisations = [
            keras.layers.LayerNormalization(dtype=policy, name=f"normalisation_{step}") for step in range(3)
        ]
        for normalisation in self.normalisations[0 if tokens[1] > 1 else 1 :]:
            normalisation.build(tokens)
        self.between = None
        if tokens[1] > 1:
            self.to_tokens = keras.layers.MultiHeadAttention(self.heads, dim // self.heads, dtype=policy, name="tokens")
            self.to_tokens.build(tokens, tokens)
            self.between = RunningMean(axes=2, name="between")
            self.between.build((None, self.heads, tokens[1], tokens[1]))
        self.to_seen = keras.layers.MultiHeadAttention(self.heads, dim // self.heads, dtype=policy, name="seen")
        self.to_seen.build(tokens, seen)
        self.widen = keras.layers.Dense(2 * dim, "gelu", dtype=policy, name="widen")
        self.widen.build(tokens)
        self.narrow = keras.layers.Dense(dim, dtype=policy, name="narrow")
        self.narrow.build((*tokens[:-1], 2 * dim))
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        tokens, seen = inputs
        if self.between is not None:
            asking = self.normalisations[0](tokens)
            told, attention = self.to_tokens(asking, asking, return_attention_scores=True, training=training)
            self.between(attention, training=training)
            tokens = tokens + told
        tokens = tokens + self.to_seen(self.normalisations[1](tokens), seen, training=training)
        return tokens + self.narrow(self.widen(self.normalisations[2](tokens)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"heads": self.heads}


@keras.saving.register_keras_serializable("visionmtl")
class Condition(keras.layers.Layer):
    """Scale and shift the channels of a map as a token says, and strengthen channels where it looks.

    `x * (1 + scale + focus * look) + shift`, in which scale, shift and focus, one a channel, and `look`, one a cell and
    from -1 to 1, depend on the token. Scale, shift and focus start at zero: the map passes as it is.

    Call: a map `[B, H, W, C]`, its keys `[B, H, W, dim]` and a token `[B, dim]` -> `[B, H, W, C]`.
    """

    def build(self, input_shape: Any) -> None:
        maps, keys, token = (tuple(shape) for shape in input_shape)
        self.modulate = keras.layers.Dense(
            3 * maps[-1], kernel_initializer="zeros", dtype=self.dtype_policy, name="modulate"
        )
        self.query = keras.layers.Dense(keys[-1], use_bias=False, dtype=self.dtype_policy, name="query")
        self.modulate.build(token)
        self.query.build(token)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        x, keys, token = inputs
        scale, shift, focus = ops.split(self.modulate(token)[:, None, None, :], 3, axis=-1)
        query = self.query(token)[:, None, None, :]
        look = ops.tanh(ops.sum(keys * query, axis=-1, keepdims=True) / math.sqrt(keys.shape[-1]))
        return x * (1 + scale + focus * look) + shift

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]
