"""Batch normalisation by TensorFlow's fused kernel, and a model's batch normalisations changed for it."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("visionmtl")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation by TensorFlow's fused kernel, with statistics of all replicas.

    Same numbers, same variables, same arguments: Keras computes it from nine elementwise operations and their
    gradients, which take a third of a training step on a CPU. Statistics are of all replicas together
    (`synchronized`), so that two devices train like one; without, each device uses its own, and the moving ones go by
    the mean of the devices'.

    Attributes:
        freezes_statistics: whether it uses and keeps the moving statistics in training too, while its scale and offset
            learn; `compile(freeze_statistics=...)` sets it.

    Call: `[B, H, W, C]` -> the same shape; other shapes take Keras's way.
    """

    freezes_statistics = False

    def __init__(self, synchronized: bool = True, **kwargs: Any):
        super().__init__(synchronized=synchronized, **kwargs)

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        training = training and not self.freezes_statistics
        learning = bool(training) and self.trainable
        outputs = self._normalised(inputs, training, learning, mask)
        if learning and not self.synchronized:
            self._average()
        return outputs

    def _normalised(self, inputs: tf.Tensor, training: bool | None, learning: bool, mask: Any) -> tf.Tensor:
        plain = mask is None and not getattr(self, "renorm", False) and self.scale and self.center
        images = len(inputs.shape) == 4 and self.axis in (-1, 3)
        alone = tf.distribute.get_strategy().num_replicas_in_sync == 1 or not (learning and self.synchronized)
        if not (plain and images and alone):
            return super().call(inputs, training=training, mask=mask)
        inputs = tf.convert_to_tensor(inputs)
        known = [tf.zeros((0,))] * 2 if learning else [self.moving_mean, self.moving_variance]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=tf.convert_to_tensor(known[0]),
            variance=tf.convert_to_tensor(known[1]),
            epsilon=self.epsilon,
            is_training=learning,
        )
        if learning:
            # The kernel returns the variance of a sample (n - 1); Keras keeps the population's (n).
            count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance * (count - 1) / count)
        return outputs

    def _average(self) -> None:
        """Have the moving statistics be the mean of the replicas', each of which has moved them by its own batch."""
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            for moving in self.non_trainable_variables:
                moving.assign(context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.convert_to_tensor(moving)))

    def _follow(self, moving: Any, value: tf.Tensor) -> None:
        moving.assign(moving * self.momentum + value * (1.0 - self.momentum))


def fuse_normalisation(model: keras.Model) -> keras.Model:
    """Return a copy of a functional model, weights included, whose batch normalisations are the fused ones."""

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        if type(layer) is not keras.layers.BatchNormalization:
            return layer.__class__.from_config(layer.get_config())
        return FusedBatchNormalization.from_config(layer.get_config() | {"synchronized": True})

    fused = keras.models.clone_model(model, clone_function=copy)
    fused.set_weights(model.get_weights())
    return fused
