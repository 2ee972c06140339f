"""Random loss weighting."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import seed_of
from visionmtl.balancing.loss_balancer import LossBalancer
from visionmtl.balancing.losses.common import masked_softmax


@keras.saving.register_keras_serializable("visionmtl")
class RandomWeights(LossBalancer):
    """Fresh random weights in every step: the softmax of normal numbers, which sums to K. In evaluation they are 1.

    The draws follow from `seed` and the steps behind, so that a resumed run goes on with the same ones.

    Reference: Lin et al. 2022, Reasonable Effectiveness of Random Weighting (RLW).
    """

    paper = "Lin et al. 2022"
    promise = "random weights in every step"
    equation = "w = K softmax(z), z normal and new in every step"
    when = "as a baseline: a method that is no better than random weights has found out nothing"

    seed: int = seed_of("the draws")

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.steps = self.add_state("steps", dtype="int32")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not training:
            return tf.reduce_sum(losses * present)
        draw = tf.random.stateless_normal([len(self.tasks)], [self.seed, tf.convert_to_tensor(self.steps)])
        return tf.reduce_sum(masked_softmax(draw, present) * losses) * tf.reduce_sum(present)

    def update(self, losses: tf.Tensor, present: tf.Tensor) -> None:
        self.steps.assign_add(1)
