"""The uncertainty weighting of Kendall et al. as a layer of any model."""

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("visionmtl")
class UncertaintyWeighting(keras.layers.Layer):
    """Sum task losses, each weighted by a learnt uncertainty: `L * exp(-s) * c + s / 2`.

    `s`, the log of the task's variance, starts at 0 and is trained with the model: a task whose loss is noisy is
    weighted down, and `s` itself keeps the weight from falling to zero. `c` is 1/2 for a regression and 1 for a
    classification. Exempt `s` from weight decay: it is no size of the function but a property of the data.

    Args:
        regression: for each task, whether its loss is a regression's (squared error), else a classification's
            (cross-entropy).

    Call: a list of K losses of one shape, `[]` or `[B]`, or one tensor `[..., K]` -> their weighted sum, `[]` or `[B]`.

    Reference: Kendall, Gal and Cipolla 2018, Multi-Task Learning Using Uncertainty to Weigh Losses, equations 7 to 10.

    Example:
        Alone in a plain Keras model: the losses are computed inside, their sum is the output and the loss.

        >>> image, target, label = keras.Input((32, 32, 3)), keras.Input(()), keras.Input(())
        >>> x = keras.layers.Flatten()(image)
        >>> squared = (keras.layers.Dense(1)(x)[:, 0] - target) ** 2
        >>> entropy = keras.losses.sparse_categorical_crossentropy(label, keras.layers.Dense(10)(x), from_logits=True)
        >>> total = visionmtl.layers.UncertaintyWeighting(regression=[True, False])([squared, entropy])
        >>> model = keras.Model([image, target, label], total)
        >>> model.compile("adam", loss=lambda _, total: total)
    """

    def __init__(self, regression: Iterable[bool], dtype: Any = "float32", **kwargs: Any):
        super().__init__(dtype=dtype, **kwargs)  # losses are sums: half precision would round small tasks away
        self.regression = [bool(value) for value in regression]

    def build(self, input_shape: Any) -> None:
        self.log_variance = self.add_weight(
            name="log_variance", shape=(len(self.regression),), initializer="zeros", dtype="float32"
        )
        super().build(input_shape)

    def weights_of_losses(self) -> tf.Tensor:
        """Return what multiplies each loss now, `[K]`: `exp(-s) * c`."""
        halves = [0.5 if value else 1.0 for value in self.regression]
        return ops.exp(-self.log_variance) * ops.convert_to_tensor(halves, "float32")

    def call(self, losses: Any, present: tf.Tensor | None = None) -> tf.Tensor:
        if isinstance(losses, (list, tuple)):
            losses = ops.stack(losses, axis=-1)
        terms = ops.cast(losses, "float32") * self.weights_of_losses() + self.log_variance / 2
        # A task without labels in this batch says nothing about its uncertainty: `s` must not drift meanwhile.
        return ops.sum(terms if present is None else terms * ops.cast(present, "float32"), axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return input_shape[0] if isinstance(input_shape, list) else input_shape[:-1]

    def get_config(self) -> dict:
        return super().get_config() | {"regression": self.regression}
