"""Projection of the sum onto the dual cone."""

import tensorflow as tf

from visionmtl.balancing.gramian.solvers import project
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod


class DualProjection(GramianMethod):
    """Project the sum of the gradients onto the cone of directions that conflict with none.

    Reference: Lopez-Paz and Ranzato 2017, Gradient Episodic Memory for Continual Learning, as generalised in
    Quinton and Rey 2024, Jacobian Descent for Multi-Objective Optimization: min v' G v over v >= u.

    Scale: u is 1 for every task; the paper's is 1 / K.
    """

    paper = "Lopez-Paz and Ranzato 2017"
    promise = "no task gets worse; the sum freed of its conflicts"

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        return seen.weights(project(seen, seen.norms * seen.active) / seen.norms + 1 - seen.active)
