"""Uncertainty weighting with a posterior over the uncertainty."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import number, seed_of
from visionmtl.balancing.loss_balancer import LossBalancer


@keras.saving.register_keras_serializable("visionmtl")
class Bayesian(LossBalancer):
    """Uncertainty weighting with a posterior over each task's log-variance instead of one value.

    The posterior is normal; its mean and spread are learnt. A step draws each `s` once (reparameterised) and adds
    `L * exp(-s) * c + s / 2` of each task and `kl_weight` times the Kullback-Leibler divergence of the posterior from
    the prior; `c` is 1/2 for a regression and 1 for a classification. Evaluation takes the mean. The draws follow from
    `seed` and the steps behind. Logs `balancing/mean/<task>` and `balancing/spread/<task>`.

    Reference: Kendall, Gal and Cipolla 2018 (the likelihood); Blundell et al. 2015, Weight Uncertainty in Neural
    Networks, section 3.2 (the posterior).
    """

    paper = "Kendall et al. 2018, Blundell et al. 2015"
    promise = "uncertainty weighting with a posterior over the noise"
    equation = "L = sum_k c L_k exp(-s_k) + s_k / 2 + kl_weight KL(q || prior), s_k drawn from q"
    when = "instead of uncertainty where its weights run away, or batches are small and its noise is to be kept"

    prior_spread: float = number(1.0, "standard deviation of the prior, a normal around 0", above=0)
    kl_weight: float = number(
        1e-3, "1 / (training samples) makes the sum the evidence lower bound of a mean loss", above=0
    )
    seed: int = seed_of("the draws")

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.factors = tf.constant([0.5 if value else 1.0 for value in regression])
        self.mean = self.add_weight(name="mean", shape=(len(tasks),), initializer="zeros")
        self.log_spread = self.add_weight(
            name="log_spread", shape=(len(tasks),), initializer=keras.initializers.Constant(-2.0)
        )
        self.steps = self.add_state("steps", dtype="int32")
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        mean, log_spread = tf.convert_to_tensor(self.mean), tf.convert_to_tensor(self.log_spread)
        s = mean
        if training:
            draw = tf.random.stateless_normal([len(self.tasks)], [self.seed, tf.convert_to_tensor(self.steps)])
            s = mean + tf.exp(log_spread) * draw
        likelihood = losses * tf.exp(-s) * self.factors + s / 2
        spread = log_spread - tf.math.log(self.prior_spread)
        divergence = (tf.exp(2 * spread) + (mean / self.prior_spread) ** 2 - 1) / 2 - spread
        return tf.reduce_sum((likelihood + self.kl_weight * divergence) * present)

    def update(self, losses: tf.Tensor, present: tf.Tensor) -> None:
        self.steps.assign_add(1)

    def logs(self) -> dict[str, tf.Tensor]:
        means, spreads = tf.convert_to_tensor(self.mean), tf.exp(tf.convert_to_tensor(self.log_spread))
        by_task = {f"balancing/mean/{task}": means[k] for k, task in enumerate(self.tasks)}
        return by_task | {f"balancing/spread/{task}": spreads[k] for k, task in enumerate(self.tasks)}
