"""Gradient sign dropout."""

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import SCOPES, ForwardPass
from visionmtl.balancing.elementwise_balancer import ElementwiseBalancer
from visionmtl.balancing.hyperparameters import choice, number, seed_of
from visionmtl.balancing.task_gradients import TaskGradients, weighted_sum


@keras.saving.register_keras_serializable("visionmtl")
class SignDropout(ElementwiseBalancer):
    """Keep of each place's task gradients only those of one sign, drawn at random (GradDrop).

    The positive ones stay with probability `(1 + sum(g) / sum(|g|)) / 2`, else the negative ones. The draws follow from
    `seed` and the steps behind. The logged weights are 1: no task is weighed as a whole.

    A place is each number of what several tasks train; or with the scope "features", as in the paper, each number of
    the last maps that all tasks share, its gradient multiplied by the sign of the map and summed over the images of the
    batch: what is kept there is kept for all of these, goes back through the backbone once, and what several but not
    all tasks train gets the plain sum.

    Reference: Chen et al. 2020, Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout,
    algorithm 1, with one leak for all tasks. With the scope "parameters", the default, its lines 10 to 15, as the
    comparisons in the code of CAGrad, Nash-MTL and FAMO have it.
    """

    paper = "Chen et al. 2020"
    promise = "one sign a parameter, drawn at random"
    equation = "sum_k m_k g_k, each number of it of one sign: + with probability (1 + sum g / sum |g|) / 2"
    when = "where tasks conflict in single parameters; the noise it brings regularises too"
    scopes = SCOPES

    leak: float = number(0.0, "fraction of what is dropped that is kept nevertheless", at_least=0, up_to=1)
    seed: int = seed_of("the draws")
    scope: str = choice("parameters", SCOPES, "whose gradients lose a sign; the paper has features")

    def smooth(self, held: TaskGradients, forward: ForwardPass) -> TaskGradients:
        if self.scope == "parameters":
            return held
        return [
            self._dropped(by_task, feature, forward, place)
            for place, (by_task, feature) in enumerate(zip(held, forward.features, strict=True))
        ]

    def _dropped(
        self, by_task: dict[int, tf.Tensor], feature: tf.Tensor, forward: ForwardPass, place: int
    ) -> dict[int, tf.Tensor]:
        """Return the tasks' gradients by a shared map `[B, ...]` without the sign that is dropped at each place."""
        if not by_task:
            return by_task
        rows = tf.stack([tf.cast(gradient, tf.float32) for gradient in by_task.values()])
        signed = forward.reduce(tf.reduce_sum(rows * tf.sign(tf.cast(feature, tf.float32)), axis=1))
        keep = self.leak + (1 - self.leak) * of_one_sign(signed, self._draw(signed, forward.number, place))
        rows = rows * keep[:, None]
        return {
            task: tf.cast(row, gradient.dtype)
            for (task, gradient), row in zip(by_task.items(), tf.unstack(rows, num=len(by_task)), strict=True)
        }

    def weigh(self, gramian: tf.Tensor | None, forward: ForwardPass, product: tf.Tensor | None = None) -> tf.Tensor:
        return forward.present

    def merge(self, gradients: dict[int, tf.Tensor], weights: tf.Tensor, number: tf.Tensor, place: int) -> tf.Tensor:
        if self.scope == "features":
            return weighted_sum(gradients, weights)
        rows = tf.stack(list(gradients.values()))
        return keep_one_sign(rows, self._draw(rows, number, place), self.leak)

    def _draw(self, rows: tf.Tensor, number: tf.Tensor, place: int) -> tf.Tensor:
        """Return numbers uniform in 0..1, one for each place of `[K, ...]`, alike on all replicas."""
        seed = tf.stack([self.seed + 7919 * place, tf.cast(number, tf.int32)])
        return tf.random.stateless_uniform(tf.shape(rows)[1:], seed, dtype=tf.float32)


def keep_one_sign(gradients: tf.Tensor, draw: tf.Tensor, leak: float = 0.0) -> tf.Tensor:
    """Return the sum of task gradients `[K, ...]` of which, at each place, one sign was dropped.

    Args:
        gradients: `[K, ...]`.
        draw: `[...]`, uniform in 0..1: the positive ones stay where it is below their purity.
        leak: fraction of the dropped ones that stays.
    """
    return tf.reduce_sum(gradients * (leak + (1 - leak) * of_one_sign(gradients, draw)), axis=0)


def of_one_sign(gradients: tf.Tensor, draw: tf.Tensor) -> tf.Tensor:
    """Return 1 for each of the task gradients `[K, ...]` that has the sign drawn at its place, else 0."""
    total = tf.reduce_sum(gradients, axis=0)
    purity = 0.5 * (1 + tf.math.divide_no_nan(total, tf.reduce_sum(tf.abs(gradients), axis=0)))
    positive = purity > tf.cast(draw, purity.dtype)
    return tf.cast(tf.where(positive, gradients > 0, gradients < 0), gradients.dtype)
