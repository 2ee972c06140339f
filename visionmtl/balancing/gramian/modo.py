"""Multi-objective gradient with double sampling."""

import numpy as np
import tensorflow as tf

from visionmtl.balancing.gramian.common import remembered, without_inactive
from visionmtl.balancing.gramian.solvers import to_simplex
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import number
from visionmtl.balancing.method import HALVES


class MoDo(GramianMethod):
    """Take one step a batch towards the shortest vector in the gradients' convex hull.

    It remembers the convex weights `[K]` and descends along the product of the gradients of two halves of the batch;
    `sdmgrad` says why.

    Reference: Chen et al. 2023, Three-Way Trade-Off in Multi-Objective Learning: Optimization, Generalization and
    Conflict-Avoidance (MoDo), with the constants of its code: `w - gamma (G + rho) w`, back on the simplex.

    Scale: the weights sum to K; the paper's sum to 1. Longer gradients move them faster.
    """

    paper = "Chen et al. 2023"
    cost = HALVES
    promise = "towards the shortest vector of the hull, one step a batch"
    equation = "w <- simplex(w - gamma (G12 + rho) w), G12 of two halves of the batch"
    when = "instead of mgda where batches are small, since the noise of one half does not bias the other's product"
    sub_batches = 2
    scale_free = False

    gamma: float = number(1e-3, "step size; it meets the gradients as long as they are", above=0)
    rho: float = number(0.1, "pull to equal weights", at_least=0)

    def start(self, tasks: int) -> np.ndarray | None:
        return np.full(tasks, 1 / tasks, np.float32)

    def weights_and_memory(self, seen: Gradients, comparison: Comparison) -> tuple[tf.Tensor, tf.Tensor | None]:
        gramian, memory, product = comparison.gramian, comparison.memory, comparison.product
        both = without_inactive(seen, gramian if product is None else product)
        w = to_simplex(seen.present if memory is None else tf.cast(memory, tf.float64), seen.present)
        w = to_simplex(w - self.gamma * (tf.linalg.matvec(both, w) + self.rho * w), seen.present)
        return seen.weights(tf.reduce_sum(seen.present) * w), remembered(w, memory, seen)
