"""A tensor read without teaching what made it."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("visionmtl")
class StopGradient(keras.layers.Layer):
    """Pass a tensor on, and no gradient back."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.stop_gradient(inputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape
