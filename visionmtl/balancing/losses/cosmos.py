"""The weighted sum with a penalty on the angle to a ray (COSMOS)."""

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import number
from visionmtl.balancing.losses.common import along
from visionmtl.balancing.ray_balancer import RayBalancer


@keras.saving.register_keras_serializable("visionmtl")
class Cosmos(RayBalancer):
    """The sum of the losses weighted by a ray, less their cosine to it: the losses end in the ray's proportions.

    A ray of 2 for a task makes its loss weigh twice and aims at twice the loss of the others, as in the paper, whose
    two terms pull against each other there; `penalty=0` leaves the weighted sum. A task whose loss is much above its
    part may weigh more than K, one below its part less than 0.

    Scale: K times the paper's, whose ray sums to 1: K equal losses weigh 1 each.

    Reference: Ruchte and Grabocka 2021, Scalable Pareto Front Approximation for Deep Multi-Objective Learning (COSMOS),
    equation 5, for one ray: the paper draws one a batch and shows it to the network, which we do not.
    """

    paper = "Ruchte and Grabocka 2021"
    promise = "losses in the proportions you choose, by their angle to a ray"
    equation = "L = K (sum_k r_k L_k - penalty cos(r, (L_1, ..., L_K))), sum_k r_k = 1"
    when = "where losses are to end in given proportions; choose the penalty in units of the losses"

    penalty: float = number(2.0, "lambda, what the cosine weighs; 0.01 to 8 in the paper", at_least=0)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        numbers = self.towards(present)
        share = tf.math.divide_no_nan(numbers, tf.reduce_sum(numbers))
        length = tf.sqrt(tf.reduce_sum(tf.maximum(losses * losses, 1e-30) * present))
        cosine = tf.math.divide_no_nan(along(losses, numbers), length)
        return tf.reduce_sum(present) * (tf.reduce_sum(share * losses) - self.penalty * cosine)
