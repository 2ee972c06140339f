"""Cross-stitch units as a layer of any model."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from visionmtl.errors import UsageError, one_of

SPEED = 10.0


@keras.saving.register_keras_serializable("visionmtl")
class CrossStitch(keras.layers.Layer):
    """Mix K tensors of one shape: each goes on as a learnt weighted sum of all, `y_i = sum_j w_ij * x_j`.

    Args:
        units: "channel" for weights of every channel's own, `w` of shape `[K, K, C]`; "layer" for `[K, K]`.
        own: at the start, the weight of a tensor itself, 0 to 1; the rest falls to the others equally, so that a mean
            over K keeps its scale. Default 0.9.
        speed: what the trained variable's change is multiplied by in the weights, above 0: under gradient descent they
            learn `speed ** 2` times as fast as the network, and under Adam and its like, whose steps are as long
            whatever the gradient, `speed` times. Default 10: the paper's 100 times under gradient descent, which is
            what the paper trains by, and 10 times under Adam.
        rate: how many times as fast as the network the weights learn, under any optimizer, above 0; then `speed` has
            no say. Default None, as fast as `speed` makes them. 100 under Adam at a learning rate of 0.001 is a step of
            0.1 in weights between 0 and 1.

    Call: a list of K tensors `[B, ..., C]` -> a list of K tensors of that shape.

    Raises:
        UsageError: an option or what the layer is called on is none of these.

    Reference: Misra et al. 2016, Cross-stitch Networks for Multi-task Learning; section 4.1 has the faster learning, of
    100 to 1000 times.

    Example:
        >>> image = keras.Input((32, 32, 3))
        >>> maps = [keras.layers.Conv2D(16, 3, activation="relu")(image) for _ in range(2)]
        >>> one, other = visionmtl.layers.CrossStitch()(maps)
    """

    def __init__(
        self,
        units: str = "channel",
        own: float = 0.9,
        speed: float = SPEED,
        rate: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = one_of(units, ("channel", "layer"), "cross-stitch units")
        self.own, self.speed, self.rate = own, speed, rate
        near_identity(1, own)  # refuses what is no weight
        for name, value in (("speed", speed), ("rate", 1.0 if rate is None else rate)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
                raise UsageError(f"{name} was given as {value!r}: expected a number above 0.")
        if rate is not None and speed != SPEED:
            raise UsageError(
                f"speed={speed} and rate={rate} both say how fast the weights learn: leave one of them out."
            )

    def build(self, input_shape: Sequence[tuple]) -> None:
        shapes = list(input_shape)
        if not shapes or not all(isinstance(shape, (list, tuple)) and shape == shapes[0] for shape in shapes):
            raise UsageError(f"CrossStitch mixes a list of tensors of one shape, but was given {input_shape}.")
        self.start = near_identity(len(shapes), self.own)
        if self.units == "channel":
            self.start = np.repeat(self.start[:, :, None], shapes[0][-1], axis=2)
        self.change = self.add_weight(name="change", shape=self.start.shape, initializer="zeros")
        super().build(input_shape)

    @property
    def weight(self) -> tf.Tensor:
        """The weights as they are now, `[K, K]` or `[K, K, C]`: row i is what tensor i takes of each."""
        change = ops.convert_to_tensor(self.change)
        if self.rate is None:
            return ops.cast(self.start, change.dtype) + self.speed * change
        held = ops.stop_gradient(
            change
        )  # the gradient is that of the weights: the factor is in what they move by alone
        return ops.cast(self.start, change.dtype) + self.rate * held + (change - held)

    def call(self, inputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        rows = [ops.unstack(row) for row in ops.unstack(self.weight)]
        return [tf.add_n([weight * x for weight, x in zip(row, inputs, strict=True)]) for row in rows]

    def compute_output_shape(self, input_shape: Sequence[tuple]) -> list[tuple]:
        return list(input_shape)

    def get_config(self) -> dict:
        return super().get_config() | {"units": self.units, "own": self.own, "speed": self.speed, "rate": self.rate}


def near_identity(count: int, own: float) -> np.ndarray:
    """Return the weights `[K, K]` with which K things start that mix: `own` of itself, the rest equally of the others.

    A single thing keeps the weight 1.

    Raises:
        UsageError: `own` is not between 0 and 1.
    """
    if isinstance(own, bool) or not isinstance(own, (int, float)) or not 0 <= own <= 1:
        raise UsageError(
            f"own was given as {own!r}: expected a number from 0 to 1, what each keeps of itself at first."
        )
    rest = (1 - own) / max(count - 1, 1)
    return np.where(np.eye(count) > 0, own if count > 1 else 1.0, rest).astype("float32")
