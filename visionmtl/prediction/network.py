"""A model as it predicts: a batch through the network, then each picture decoded at its own size, both compiled."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from visionmtl.drawing import samples
from visionmtl.model import MultiTaskModel
from visionmtl.prediction.reading import Sample

Predictions = dict[str, dict[str, np.ndarray]]  # of one picture, by task


class Network:
    """Predicts on batches of pictures.

    Args:
        model: a trained model.
        resize: how pictures are fitted, "stretch" or "letterbox".
    """

    def __init__(self, model: MultiTaskModel, resize: str):
        self.model, self.resize = model, resize
        batch = tf.TensorSpec((None, *model.image_size, 3))
        self._forward = tf.function(lambda images: model(images, training=False)).get_concrete_function(batch)
        one = {key: _one(value) for key, value in self._forward.structured_outputs.items()}
        size, window = tf.TensorSpec((2,), tf.int32), tf.TensorSpec((4,))
        self._decode = tf.function(self._decoded).get_concrete_function(one, size, window)

    def outputs(self, batch: Sequence[Sample]) -> list[dict[str, tf.Tensor]]:
        """Return the raw outputs of each picture, `[1, ...]`."""
        outputs = self._forward(tf.constant(np.stack([sample.fitted for sample in batch])))
        return [{key: value[place : place + 1] for key, value in outputs.items()} for place in range(len(batch))]

    def decoded(self, outputs: Mapping[str, tf.Tensor], sample: Sample) -> Predictions:
        """Return what a picture's raw outputs mean, in its own pixels."""
        decoded = self._decode(outputs, tf.constant(sample.size), tf.constant(sample.window))
        found = {key: value[0].numpy() for key, value in decoded.items()}
        return {name: samples.of_task(found, name, self.model.tasks) for name in self.model.tasks}

    def _decoded(self, outputs: Mapping[str, tf.Tensor], size: tf.Tensor, window: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.model.decode(outputs, size, None if self.resize == "stretch" else window)


def _one(output: tf.TensorSpec) -> tf.TensorSpec:
    """Return what an output of the network is of one picture."""
    return tf.TensorSpec((1, *output.shape[1:]), output.dtype)
