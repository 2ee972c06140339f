"""A layer that keeps the mean of what passes through it."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("visionmtl")
class RunningMean(keras.layers.Layer):
    """Hand fractions on as they are, and keep their running mean over what was seen in training.

    The mean, of the batches on all replicas, is a variable that is saved and not trained. It starts with equal ones.

    Args:
        axes: how many axes, counted from the last one, the mean keeps; it is taken over the others.
        momentum: how much of the mean stays after a batch; 0.97 looks back about thirty.

    Call: `[B, ..., N]`, fractions that sum to one along the last axis -> the same.
    """

    def __init__(self, axes: int = 1, momentum: float = 0.97, dtype: str = "float32", **kwargs: Any):
        super().__init__(dtype=dtype, **kwargs)
        self.axes, self.momentum = axes, momentum

    def build(self, input_shape: Any) -> None:
        kept = tuple(input_shape)[-self.axes :]
        self.mean = self.add_weight(
            name="mean",
            shape=kept,
            initializer=keras.initializers.Constant(1 / kept[-1]),
            trainable=False,
            aggregation="mean",  # each replica sees its sub-batch
        )
        super().build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if training and self.trainable:
            seen = ops.mean(inputs, axis=tuple(range(len(inputs.shape) - self.axes)))
            self.mean.assign(self.mean * self.momentum + seen * (1 - self.momentum))
        return inputs

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axes": self.axes, "momentum": self.momentum}
