"""Group optimisation for multi-task alignment."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.balancing.hyperparameters import number, whole
from visionmtl.balancing.loss_balancer import LossBalancer


@keras.saving.register_keras_serializable("visionmtl")
class GroupAlignment(LossBalancer):
    """Weights that bring losses to one scale and follow how they fall, alike for all tasks of a group (GO4Align).

    A task's indicator is `p_k sum_j L_j / L_k`, with `p_k` multiplied by `exp(-step_size L_k)` in each step and summing
    to 1. Tasks of like indicators are a group, found anew in every step, and each weighs the mean of its group.

    Scale: as the authors' code has it; K equal losses weigh 1 each.

    Reference: Shen et al. 2024, GO4Align: Group Optimization for Multi-Task Alignment, with the indicators of its code.
    That groups them by k-means from a random start; here by the k-means of least error, which for numbers on a line is
    found exactly.
    """

    paper = "Shen et al. 2024"
    promise = "one scale for all losses, and a weight a group of tasks that fall alike"
    equation = "w_k = mean over k's group of p_j sum_i L_i / L_j, p_k <- p_k exp(-step_size L_k), sum_k p_k = 1"
    when = "where losses differ in scale and there are many tasks, some of which belong together"

    groups: int = whole(2, "of tasks", at_least=1)
    step_size: float = number(1e-4, "beta, how fast the indicators follow the losses", at_least=0)

    def prepare(self, tasks: list[str], regression: list[bool], shared: Sequence[Any] = ()) -> None:
        self.probabilities = self.add_state("probabilities", (len(tasks),), 1 / len(tasks))
        super().prepare(tasks, regression, shared)

    def scalarise(self, losses: tf.Tensor, present: tf.Tensor, training: bool = False) -> tf.Tensor:
        fixed = tf.stop_gradient(losses)
        here = self._moved(fixed, present) * present
        here = tf.math.divide_no_nan(here, tf.reduce_sum(here))
        indicators = here * tf.reduce_sum(fixed * present) / tf.maximum(fixed, 1e-12) * present
        return tf.reduce_sum(group_means(indicators, present, self.groups) * losses)

    def _moved(self, losses: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        """Return the probabilities `[K]` after the losses of a step."""
        moved = tf.convert_to_tensor(self.probabilities) * tf.exp(-self.step_size * losses * present)
        return moved / tf.reduce_sum(moved)

    def update(self, losses: tf.Tensor, present: tf.Tensor) -> None:
        self.probabilities.assign(self._moved(losses, present))


def group_means(values: tf.Tensor, present: tf.Tensor, groups: int) -> tf.Tensor:
    """Return the mean of each value's group `[K]`, for the groups of least squared error; 0 for an absent task.

    Sorted values fall into groups of neighbours, so that the best division of the first i values into m groups is the
    best of the first j into m - 1 and the rest as one, for some j.

    Args:
        values: `[K]`.
        present: `[K]`, 1 for a task that counts, else 0.
        groups: at most so many.
    """
    K = values.shape[0]
    order = tf.argsort(tf.where(present > 0, values, values.dtype.max))
    x, here = tf.cast(tf.gather(values, order), tf.float64), tf.cast(tf.gather(present, order), tf.float64)
    x *= here
    sums = [tf.concat([[tf.constant(0.0, tf.float64)], tf.cumsum(here * x**power)], 0) for power in range(3)]
    count, total, square = (one[None, :] - one[:, None] for one in sums)  # of the values from i to before j, [i, j]
    means = tf.math.divide_no_nan(total, count)
    errors = tf.where(tf.range(K + 1)[:, None] <= tf.range(K + 1)[None, :], square - means * total, 1e300)
    best, cuts = errors[0], []
    for _ in range(min(groups, K) - 1):
        tried = best[:, None] + errors
        cuts.append(tf.argmin(tried, axis=0, output_type=tf.int32))
        best = tf.reduce_min(tried, axis=0)
    end, result = tf.constant(K), tf.zeros(K, tf.float64)
    for cut in reversed([tf.zeros(K + 1, tf.int32), *cuts]):
        begin, places = cut[end], tf.range(K)
        result = tf.where((places >= begin) & (places < end), means[begin, end], result)
        end = begin
    return tf.cast(tf.gather(result * here, tf.argsort(order)), values.dtype)
