"""Fair resource allocation."""

import tensorflow as tf

from visionmtl.balancing.gramian.solvers import power_balance
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import limit_of_norm, number


class FairGrad(GramianMethod):
    """Divide the update alpha-fairly: weights w with G w = w^(-1 / alpha).

    Reference: Ban and Ji 2024, Fair Resource Allocation in Multi-Task Learning. Their code solves the same equation by
    least squares; its default is alpha = 1, which is Nash-MTL, and its scripts train with 2, the default here.

    Scale: the equation fixes a length of its own, which here is undone: it is solved for G over its Frobenius norm, so
    that K equal gradients give K of them. The authors solve it for G as it is, which from alpha = 1 on makes the
    update no longer where the gradients are, and then clip the gradient of what the tasks share to the norm 1:
    `max_norm=1` clips alike, but leaves an update that was shorter as it is.
    Fall-back: a zero gradient weighs 0. Where gradients cancel there is no solution: the weights are large but finite.
    """

    paper = "Ban and Ji 2024"
    promise = "no task gets worse; alpha-fair"
    equation = "G w = w^(-1 / alpha)"
    when = (
        "where the gain is to be divided and you want to say how evenly: alpha near 0 is the sum, large the worst task"
    )

    alpha: float = number(2.0, "1 is Nash-MTL, and more helps the worst-off task more", above=0)
    max_norm: float | None = limit_of_norm()

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        return alpha_fair(seen, self.alpha)


def alpha_fair(seen: Gradients, alpha: float) -> tf.Tensor:
    """Return the weights w `[K]` with G w = w^(-1 / alpha)."""
    x = power_balance(seen.definite(), tf.math.log(seen.norms), alpha) * seen.active
    frobenius = tf.norm(seen.cosines * seen.norms * seen.norms[:, None])
    return seen.weights(x / seen.norms * frobenius ** (alpha / (1 + alpha)))
