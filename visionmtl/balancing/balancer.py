"""What every loss balancer is: a function from the task losses to one number, whose slopes are the weights."""

import keras
import tensorflow as tf


class LossBalancer(keras.layers.Layer):
    """Turn the losses of K tasks into the one number whose gradient trains the model.

    The weight of a task IS the derivative of that number by the task's loss, so that what is logged is what trained.
    Each balancer's state, if any, lives in its Keras variables: it is saved, restored and mirrored with the model.

    A subclass implements `scalarise`; it may create variables in `prepare`.
    """

    def __init__(self, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)  # whatever the model computes in, losses and weights do not round

    def prepare(self, tasks: list[str], regression: list[bool]) -> None:
        """Create the state for these tasks; `regression` says which losses are a regression's (squared error)."""
        self.tasks = list(tasks)
        self.built = True

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        """Return one number from the losses.

        Args:
            losses: float32 `[K]`, each task's mean over all replicas; 0 for a task without labels in this batch.
            present: float32 `[K]`, 1 for a task with labels in this batch, else 0.
        """
        raise NotImplementedError

    def weights_of(self, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        """Return the weight of each task `[K]`: the derivative of `scalarise` by its loss."""
        losses = tf.stop_gradient(losses)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(losses)
            total = self.scalarise(losses, present)
        slopes = tape.gradient(total, losses, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return tf.stop_gradient(slopes)

    def call(self, losses, present=None):
        """Return `scalarise`, so that a balancer also works as a layer."""
        losses = tf.convert_to_tensor(losses, tf.float32)
        return self.scalarise(losses, tf.ones_like(losses) if present is None else present)
