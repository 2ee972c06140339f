"""Unconflicting projection of the gradients."""

from typing import Any

import tensorflow as tf

from visionmtl.balancing.by_task import preference
from visionmtl.balancing.gramian.common import of_rows
from visionmtl.balancing.gramian.solvers import project
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod


class UPGrad(GramianMethod):
    """Sum the gradients, each projected onto the cone of directions that conflict with none.

    Reference: Quinton and Rey 2024, Jacobian Descent for Multi-Objective Optimization: for every unit vector u,
    min v' G v over v >= u.

    Scale: the sum of the K projections; the paper takes their mean.
    Preference: multiplies a task's projection, as in the authors' TorchJD; no task gets worse, not even at 0.
    """

    paper = "Quinton and Rey 2024"
    promise = "no task gets worse; each gradient freed of its conflicts, then summed"
    equation = "sum_k p_k proj(g_k), proj(g) the nearest d with d . g_j >= 0 for all j"
    when = "where no task may get worse in a step, and gradients should count as long as they are"

    preference: Any = preference()

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        rows = project(seen, tf.linalg.eye(seen.norms.shape[0], dtype=tf.float64))
        return seen.weights(of_rows(seen, rows, comparison.preferred(seen)))
