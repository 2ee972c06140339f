"""Impartial multi-task learning: its two halves together."""

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import SCOPES, ForwardPass
from visionmtl.balancing.gramian.imtl_g import impartial
from visionmtl.balancing.gramian_method import gradients
from visionmtl.balancing.hyperparameters import choice
from visionmtl.balancing.largest_weight import bounded
from visionmtl.balancing.losses.imtl_l import ImpartialLosses
from visionmtl.balancing.method import K_HEADS


@keras.saving.register_keras_serializable("visionmtl")
class Impartial(ImpartialLosses):
    """Losses of learnt scales, as `imtl_l` has them, whose gradients share the update as `imtl_g` has it.

    With `l_k = exp(s_k) * L_k - s_k`, what several tasks train gets the sum of the gradients of `l_k` with equal
    projections on each; what one task trains alone, and `s_k`, get those of its own `l_k`. The gradients are compared
    by the last maps that all tasks share, as in the paper, or with the scope "parameters" by all that several tasks
    train.

    Scale: IMTL-G's weights sum to K; the paper's sum to 1. The logged weight of a task is that of its loss `L_k`: of
    IMTL-G times `exp(s_k)`.

    Reference: Liu et al. 2021, Towards Impartial Multi-task Learning, algorithm 1 (IMTL). The scales do not change the
    direction of the shared update, which is blind to lengths, but its length, and how fast heads learn. LibMTL weighs
    heads and scales by IMTL-G's weights too, which the paper does not.
    """

    paper = "Liu et al. 2021"
    cost = K_HEADS
    promise = "equal projections on every task's direction, and weighted losses alike"
    equation = "l_k = exp(s_k) L_k - s_k; sum_k w_k dl_k with equal projections on every dl_k / |dl_k|"
    when = "where neither the scale of a loss nor the length of a gradient is to decide"

    scope: str = choice("features", SCOPES, "whose gradients are compared")

    def weigh(self, gramian: tf.Tensor | None, forward: ForwardPass, product: tf.Tensor | None = None) -> tf.Tensor:
        if gramian is None:
            return forward.slopes
        scales = tf.exp(tf.convert_to_tensor(self.log_scale))
        shares = impartial(gradients(gramian * scales * scales[:, None], forward.present))
        return self._bounded(tf.cast(shares, tf.float32) * scales, forward.present)

    def weights_of_own(self, weights: tf.Tensor | None, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor | None:
        return self._bounded(tf.exp(tf.convert_to_tensor(self.log_scale)) * present, present)

    def _bounded(self, weights: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        return weights if self.largest_weight is None else bounded(weights, present, self.largest_weight)
