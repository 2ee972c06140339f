"""Variables that no map passes through, and variables of several tasks as a matrix: what penalties read."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.sharing.base.stages import Kernels


def stack(variables: Sequence[Any]) -> tf.Tensor:
    """Return variables of one shape as they are now, a row each, float32 `[K, P]`."""
    return tf.stack([tf.reshape(tf.cast(tf.convert_to_tensor(variable), tf.float32), [-1]) for variable in variables])


@keras.saving.register_keras_serializable("visionmtl")
class Parameters(keras.layers.Layer):
    """Variables that no map passes through.

    Args:
        shapes: of each variable, by name.
        trainable: whether they are trained.
    """

    def __init__(self, shapes: Mapping[str, Sequence[int]], **kwargs: Any):
        super().__init__(**kwargs)
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self.values = [
            self.add_weight(name=name, shape=shape, initializer="zeros", dtype="float32")
            for name, shape in self.shapes.items()
        ]
        self.built = True

    @classmethod
    def like(cls, levels: Mapping[str, Kernels], name: str, trainable: bool) -> "Parameters":
        """Return a copy of the first task's kernels of some levels, which are as yet the same as every other's."""
        first = {f"{level}_{place}": kernel[0] for level in levels for place, kernel in enumerate(levels[level])}
        copy = cls({key: variable.shape for key, variable in first.items()}, name=name, trainable=trainable)
        for value, variable in zip(copy.values, first.values(), strict=True):
            value.assign(variable)
        return copy

    def of(self, level: str) -> list[keras.Variable]:
        """Return the variables of a level, in the order of its kernels."""
        named = zip(self.shapes, self.values, strict=True)
        return [value for name, value in named if name.rpartition("_")[0] == level]

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"shapes": self.shapes}
