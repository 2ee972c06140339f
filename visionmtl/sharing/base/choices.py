"""Choices between branches, drawn in training and else the likeliest, and the maps that are read by them."""

import math
import zlib
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

NEAR = 1e-3  # by how much logits may differ and count as equal
COURSE = 200  # epochs in which LibMTL's temperature falls from 10
SETTLED = 20.0  # the logit of a choice that is settled, beside 0


def gumbel(shape: Sequence[int], seed: Any) -> tf.Tensor:
    """Return noise of the standard Gumbel distribution, float32; the same for the same seed, two whole numbers."""
    uniform = tf.random.stateless_uniform(shape, seed, minval=keras.config.epsilon(), dtype=tf.float32)
    return -tf.math.log(-tf.math.log(uniform))


def straight_through(logits: Any, noise: Any, coldness: Any) -> Any:
    """Return a drawn choice a row, a 1 among 0, whose gradient is that of a softmax.

    Args:
        logits: `[N, K]`, logarithms of the choices' probabilities up to a number a row.
        noise: of the standard Gumbel distribution, `[N, K]`.
        coldness: 1 over the temperature of the softmax; 0 for no gradient.

    Returns:
        `[N, K]`, of the type of the logits.

    Reference: Jang, Gu and Poole 2017, Categorical Reparameterization with Gumbel-Softmax, section 2.2.
    """
    disturbed = logits + noise
    soft = tf.nn.softmax(disturbed * coldness)  # that of Keras warns where there is one branch
    return likeliest(disturbed, 0.0) + (soft - tf.stop_gradient(soft))


def likeliest(logits: Any, near: float = NEAR) -> Any:
    """Return a 1 at the greatest of each row, or the first of those that are as near to it, and 0 elsewhere, `[N, K]`.

    Branches begin alike, and their logits then differ by rounding alone, by which nothing is to be chosen.
    """
    among = ops.cast(logits >= ops.max(logits, axis=-1, keepdims=True) - near, logits.dtype)
    return ops.one_hot(ops.argmax(among, axis=-1), logits.shape[-1], dtype=logits.dtype)


def chosen(choices: Any, maps: Sequence[Any]) -> list[Any]:
    """Return the maps that are chosen: `[N, K]` and K maps of one shape -> N maps."""
    rows = [ops.unstack(row) for row in ops.unstack(ops.cast(choices, maps[0].dtype))]
    return [tf.add_n([weight * x for weight, x in zip(row, maps, strict=True)]) for row in rows]


def temperature(first: float, epoch: int, epochs: int) -> float:
    """Return the temperature in an epoch of a search: 1 over the root of what is behind, as in 200 epochs of LibMTL."""
    return first / math.sqrt(1 + (COURSE - 1) * epoch / epochs)


def _begin(shape: Any, dtype: Any) -> Any:
    """Return where a count of draws begins, by the seed that Keras was given."""
    return ops.cast(keras.random.randint(shape, 0, 2**31 - 1), dtype)


class Choice(keras.layers.Layer):
    """Say which of K branches each of N readers reads.

    In training it is drawn for a step, the same on all replicas, by a count of the draws that begins at a number of the
    training's seed and is saved with the weights: a training that goes on draws what it would have drawn. Elsewhere,
    once settled, and where this layer is frozen, it is the likeliest.

    Args:
        readers: N.
        branches: K.

    Call: anything -> `[N, K]`, a 1 a row among 0.
    """

    def __init__(self, readers: int, branches: int, **kwargs: Any):
        super().__init__(dtype="float32", autocast=False, **kwargs)
        self.readers, self.branches = readers, branches

    def build(self, input_shape: Any) -> None:
        kept: dict[str, Any] = {"shape": (), "trainable": False}
        self.logits = self.add_weight(name="logits", shape=(self.readers, self.branches), initializer="zeros")
        self.coldness = self.add_weight(name="coldness", initializer="ones", **kept)
        self.searching = self.add_weight(name="searching", initializer="ones", **kept)
        one = {"dtype": "int64", "aggregation": "only_first_replica"}
        self.draws = self.add_weight(name="draws", initializer=_begin, **one, **kept)
        super().build(input_shape)

    def search(self, coldness: float) -> None:
        """Draw in training from now on, with a gradient of this coldness."""
        self.searching.assign(1.0)
        self.coldness.assign(coldness)

    def settle(self) -> None:
        """Keep to the likeliest from now on, which nothing overtakes that an optimizer still has in hand."""
        if self.is_searching:
            self.logits.assign(SETTLED * likeliest(tf.convert_to_tensor(self.logits)))
            self.searching.assign(0.0)

    @property
    def is_searching(self) -> bool:
        """Whether it is drawn in training."""
        return bool(ops.convert_to_numpy(self.searching) > 0.5)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        logits = tf.convert_to_tensor(self.logits)
        best = likeliest(logits)
        if not (training and self.trainable):
            return best
        draws = tf.convert_to_tensor(self.draws)
        seed = tf.stack([tf.constant(zlib.crc32(self.name.encode()), tf.int64), draws])
        drawn = straight_through(logits, gumbel(logits.shape, seed), tf.convert_to_tensor(self.coldness))
        self.draws.assign(draws + 1)
        return tf.where(tf.convert_to_tensor(self.searching) > 0.5, drawn, best)

    def compute_output_shape(self, input_shape: Any) -> tuple[int, int]:
        return self.readers, self.branches


class Chosen(keras.layers.Layer):
    """Hand on what is chosen: choices `[N, K]` and K maps `[B, H, W, C]` -> a list of N such maps."""

    def call(self, inputs: Any) -> Any:
        choices, *maps = inputs
        return chosen(choices, maps)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return [input_shape[1]] * input_shape[0][0]


class Path(keras.layers.Layer):
    """Hand on the maps of all levels that lie on one reader's way to the root of a tree.

    Args:
        levels: L.

    Call: L choices, the coarsest level's last: `[K, K]`, which branch each of the next level reads, and `[1, K]`, which
    of the last level the reader does; then K maps of each level -> L maps.
    """

    def __init__(self, levels: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.levels = levels

    def call(self, inputs: Any) -> Any:
        choices, maps = inputs[: self.levels], inputs[self.levels :]
        branches, row, made = len(maps) // self.levels, choices[-1], []
        for level in reversed(range(self.levels)):
            made += chosen(row, maps[level * branches : (level + 1) * branches])
            if level:
                row = ops.matmul(row, choices[level - 1])
        return made[::-1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        maps = input_shape[self.levels :]
        return maps[:: len(maps) // self.levels]
