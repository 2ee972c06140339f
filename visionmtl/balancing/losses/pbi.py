"""Penalty-based boundary intersection (PBI)."""

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import number
from visionmtl.balancing.losses.common import along
from visionmtl.balancing.ray_balancer import RayBalancer


@keras.saving.register_keras_serializable("visionmtl")
class PenaltyBoundary(RayBalancer):
    """How far the losses lie along a ray from zero, and a penalty on how far from it: they end in its proportions.

    A task whose loss is above its part of the ray weighs more, one below it less, and less than 0 where the penalty is
    large: then it gets worse until the proportions hold. On the ray itself the penalty pulls at nothing.

    Scale: the root of K times the paper's: K equal losses weigh 1 each. The ideal point is 0.

    Reference: Zhang and Li 2007, MOEA/D: A Multiobjective Evolutionary Algorithm Based on Decomposition, section
    II-A-3.
    """

    paper = "Zhang and Li 2007"
    promise = "losses in the proportions you choose, by their distance to a ray"
    equation = "L = sqrt(K) (d1 + penalty d2), d1 = L'r / |r|, d2 = |L - d1 r / |r||, L = (L_1, ..., L_K)"
    when = "where losses are to end in given proportions, to scan a Pareto front that a weighted sum does not reach"

    penalty: float = number(5.0, "theta, of the distance from the ray; 5 in the paper", at_least=0)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        numbers = self.towards(present)
        first = along(losses, numbers)
        beside = losses * present - first * tf.math.divide_no_nan(numbers, tf.norm(numbers))
        square = tf.reduce_sum(beside * beside)
        off = square > 1e-12 * tf.reduce_sum(losses * losses)  # else it is rounding, whose slope would be no small one
        second = tf.where(off, tf.sqrt(tf.where(off, square, 1.0)), 0.0)
        return tf.sqrt(tf.reduce_sum(present)) * (first + self.penalty * second)
