"""The network itself, for who asks: its graph, and how its variables are distributed."""

from typing import Any

import keras
import tensorflow as tf

from visionmtl.board import names


def write_graph(model: keras.Model) -> None:
    """Write the graph of a forward pass, one picture at a time, by the writer in force."""
    spec = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    forward = tf.function(lambda images: model(images, training=False))
    tf.summary.graph(forward.get_concrete_function(spec).graph)


def write_histograms(variables: Any, step: int) -> None:
    """Write how each variable's values are distributed, by the writer in force."""
    for variable in variables:
        values = keras.ops.convert_to_numpy(variable)
        tf.summary.histogram(f"{names.VARIABLES}/{variable.path}", values, step=step)
