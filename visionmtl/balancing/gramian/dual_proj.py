"""Projection of the sum onto the dual cone."""

from typing import Any

import tensorflow as tf

from visionmtl.balancing.by_task import preference
from visionmtl.balancing.gramian.solvers import project
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod


class DualProjection(GramianMethod):
    """Project the sum of the gradients onto the cone of directions that conflict with none.

    Reference: Lopez-Paz and Ranzato 2017, Gradient Episodic Memory for Continual Learning, as generalised in
    Quinton and Rey 2024, Jacobian Descent for Multi-Objective Optimization: min v' G v over v >= u.

    Scale: u is 1 for every task; the paper's is 1 / K.
    Preference: is u, as in TorchJD: the gradients are summed with it before the sum is projected. No task gets worse,
    not even at 0.
    """

    paper = "Lopez-Paz and Ranzato 2017"
    promise = "no task gets worse; the sum freed of its conflicts"
    equation = "argmin |d - sum_k p_k g_k| with d . g_k >= 0 for all k"
    when = "where the plain sum is wanted but for the steps in which it makes a task worse"

    preference: Any = preference()

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        summed = comparison.preferred(seen) * seen.norms * seen.active
        return seen.weights(project(seen, summed) / seen.norms + 1 - seen.active)
