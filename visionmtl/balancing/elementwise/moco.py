"""Multi-objective gradient correction."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.balancer import ForwardPass
from visionmtl.balancing.elementwise.means import Means
from visionmtl.balancing.elementwise_balancer import ElementwiseBalancer
from visionmtl.balancing.gramian.solvers import to_simplex
from visionmtl.balancing.hyperparameters import choice, number
from visionmtl.balancing.task_gradients import TaskGradients


@keras.saving.register_keras_serializable("visionmtl")
class GradientCorrection(ElementwiseBalancer):
    """Follow each task's gradient by a mean, and take one step a batch to the short vector of their hull (MoCo).

    The weights of noisy gradients are biased; the means' noise falls with the steps. `y_k <- y_k - beta (y_k - g_k)`,
    then `w <- simplex(w - gamma (Y Y' + rho) w)`, and the update is `sum_k w_k y_k`. The means begin at zero, so that
    the first steps are short. K of them, each as large as what the tasks share, are kept in memory and in the
    checkpoint.

    Scale: the weights sum to K; the paper's to 1. Longer gradients move them faster; `normalise=loss` takes each
    gradient at the length of its loss instead, as the authors' code does.

    Reference: Fernando et al. 2023, Mitigating Gradient Bias in Multi-objective Learning: A Provably Convergent
    Approach, algorithm 1, with the constants of its code. That has a softmax where the paper projects on the simplex,
    as here.
    """

    paper = "Fernando et al. 2023"
    promise = "towards the shortest vector of the hull of smoothed gradients"
    equation = "y_k <- y_k - beta (y_k - g_k), w <- simplex(w - gamma (Y Y' + rho) w), update sum_k w_k y_k"
    when = "instead of mgda where batches are small and memory for K gradients is there"

    beta: float = number(0.5, "of a new gradient in the mean, over the steps to the power beta_sigma", above=0, up_to=1)
    beta_sigma: float = number(0.5, "how fast beta falls with the steps", at_least=0)
    gamma: float = number(0.1, "step size of the weights, over the steps to the power gamma_sigma", above=0)
    gamma_sigma: float = number(0.5, "how fast gamma falls with the steps", at_least=0)
    rho: float = number(0.0, "pull to equal weights", at_least=0)
    normalise: str = choice("none", ("none", "loss"), "whether a gradient is taken at the length of its loss")

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        super().prepare(tasks, regression, shared)
        self.means = Means(self, shared)
        self.convex = self.add_state("weights", (len(tasks),), 1 / len(tasks))

    def smooth(self, held: TaskGradients, forward: ForwardPass) -> TaskGradients:
        kept = zip(held, self.means.kept(held, forward), strict=True)
        scales = self._scales([by_task for by_task, shared in kept if shared], forward) / forward.unit
        return self.means.smooth(held, forward, scales, 1 - self.beta / self.means.next_step() ** self.beta_sigma)

    def _scales(self, held: TaskGradients, forward: ForwardPass) -> tf.Tensor:
        """Return what each task's gradient is multiplied by `[K]`."""
        if self.normalise == "none":
            return tf.ones(len(self.tasks))
        squares = [tf.constant(0.0)] * len(self.tasks)
        for by_task in held:
            for task, gradient in by_task.items():
                squares[task] += tf.reduce_sum((tf.cast(gradient, tf.float32) / forward.unit) ** 2)
        return forward.losses / (tf.sqrt(tf.stack(squares)) + 1e-8)

    def weigh(self, gramian: tf.Tensor | None, forward: ForwardPass, product: tf.Tensor | None = None) -> tf.Tensor:
        present, step = (
            tf.cast(forward.present, tf.float64),
            tf.cast(tf.convert_to_tensor(self.means.steps), tf.float64),
        )
        assert gramian is not None
        both = tf.cast(gramian, tf.float64) * present * present[:, None]
        w = to_simplex(tf.cast(tf.convert_to_tensor(self.convex), tf.float64), present)
        rate = self.gamma / step**self.gamma_sigma
        w = to_simplex(w - rate * (tf.linalg.matvec(both, w) + self.rho * w), present)
        kept = tf.reduce_all(tf.math.is_finite(w))
        w = tf.where(kept, w, tf.math.divide_no_nan(present, tf.reduce_sum(present)))
        there = tf.cast((present > 0) & kept, tf.float32)
        before = tf.convert_to_tensor(self.convex)
        self.convex.assign(before + there * (tf.cast(w, tf.float32) - before))
        return tf.cast(tf.reduce_sum(present) * w, tf.float32)
