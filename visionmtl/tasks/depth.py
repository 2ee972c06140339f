"""Depth: how far away every pixel is, in metres."""

import keras
import numpy as np
import tensorflow as tf

from visionmtl import drawing, images, metrics
from visionmtl.errors import UsageError
from visionmtl.tasks import pixels
from visionmtl.tasks.task import Task


@keras.saving.register_keras_serializable("visionmtl")
class Depth(Task):
    """Say of every pixel how far away it is.

    The head is that of `pixels.head` and predicts the logarithm of the depth: depth is positive, and a centimetre at
    one metre counts as much as a metre at a hundred. The loss of a sample is the mean of `d ** 2` over its known pixels
    minus `invariance` times the square of the mean of d, where d is the error of the logarithm. Pixels of unknown depth
    teach nothing.

    Labels: float32 `[B, H, W]` in metres, 0 or NaN where unknown. Outputs: `log_depth` `[B, H / 2, W / 2, 1]`.
    Predictions: `depth` float32 `[B, H, W]` in metres.

    Args:
        channels: width of the head; None for the maps' own.
        invariance: share of a common factor in all depths of an image that is forgiven: 0 for none, 1 for all of it,
            which leaves the scale unlearnt.
        farthest: metres at the far end of the drawing's colours.

    Reference: Eigen et al. 2014, Depth Map Prediction from a Single Image using a Multi-Scale Deep Network, section 3
    (scale-invariant loss, with lambda = 0.5).

    Example:
        >>> Depth("depth", farthest=80.0)
        Depth('depth')
    """

    kind, primary, regression, rank, maps = "depth", "d1", True, 0, {"depth": 0.0}

    def __init__(self, name, channels=None, invariance=0.5, farthest=10.0, dropout=0.0):
        super().__init__(name, None, dropout)
        if not 0 <= invariance <= 1 or not farthest > 0:
            raise UsageError(
                f"Task '{name}' was given invariance={invariance} and farthest={farthest}: expected 0 to 1, and metres "
                "above 0."
            )
        self.channels, self.invariance, self.farthest = channels, float(invariance), float(farthest)

    def outputs(self, features):
        return {"log_depth": pixels.head(self, features, 1, "log_depth")}

    def evidence(self, outputs):
        name = outputs["log_depth"]._keras_history.operation.name
        return {"": keras.layers.Activation("sigmoid", name=f"{name}_evidence")(outputs["log_depth"])}

    def loss(self, labels, outputs):
        labels = tf.cast(labels, tf.float32)
        known = metrics.known_depth(labels)
        weight = tf.cast(known, tf.float32)
        predicted = images.crop_resize(tf.cast(outputs["log_depth"], tf.float32), tf.shape(labels)[1:3])[..., 0]
        error = (predicted - tf.math.log(tf.where(known, labels, 1.0))) * weight
        count = tf.maximum(tf.reduce_sum(weight, axis=(1, 2)), 1.0)
        mean = tf.reduce_sum(error, axis=(1, 2)) / count
        return tf.reduce_sum(error**2, axis=(1, 2)) / count - self.invariance * mean**2

    def decode(self, outputs, image_size, window=None):
        log_depth = images.crop_resize(tf.cast(outputs["log_depth"], tf.float32), image_size, window)
        return {"depth": tf.exp(log_depth[..., 0])}

    def metrics(self):
        return [metrics.DepthError()]

    def truth(self, labels):
        return {"depth": np.asarray(labels)}

    def draw(self, image, predictions):
        return drawing.depth(image, predictions["depth"], self.farthest)

    def get_config(self):
        names = ("name", "channels", "invariance", "farthest", "dropout")
        return {name: getattr(self, name) for name in names}

    def __repr__(self):
        return f"Depth('{self.name}')"
