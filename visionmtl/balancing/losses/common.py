"""What several loss balancers use: a softmax of tasks present, lengths along a ray, Adam for their own variables."""

import tensorflow as tf

from visionmtl.balancing.loss_balancer import LossBalancer


def masked_softmax(logits: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """Return the softmax over the present tasks `[K]`, 0 for the others."""
    highest = tf.reduce_max(tf.where(present > 0, logits, tf.reduce_min(logits)))
    powers = tf.exp(tf.where(present > 0, logits - highest, 0.0)) * present
    return tf.math.divide_no_nan(powers, tf.reduce_sum(powers))


def along(losses: tf.Tensor, ray: tf.Tensor) -> tf.Tensor:
    """Return how far losses `[K]` lie along a ray `[K]` from zero, `[]`; 0 for a ray of no length."""
    return tf.math.divide_no_nan(tf.reduce_sum(losses * ray), tf.norm(ray))


class Adam:
    """Adam's step for a vector `[K]` that a balancer moves itself, with its state in the balancer.

    Reference: Kingma and Ba 2015, Adam: A Method for Stochastic Optimization, algorithm 1, with its constants.
    """

    def __init__(self, balancer: LossBalancer, count: int, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.first, self.second = (balancer.add_state(name, (count,)) for name in ("first_moment", "second_moment"))
        self.steps = balancer.add_state("steps")

    def step(self, slope: tf.Tensor) -> tf.Tensor:
        """Return what to subtract, `[K]`, for a slope `[K]`."""
        self.steps.assign_add(1.0)
        self.first.assign(0.9 * self.first + 0.1 * slope)
        self.second.assign(0.999 * self.second + 0.001 * slope**2)
        first = self.first / (1 - 0.9**self.steps)
        second = self.second / (1 - 0.999**self.steps)
        return self.learning_rate * first / (tf.sqrt(tf.convert_to_tensor(second)) + 1e-8)
