"""Fair resource allocation."""

import tensorflow as tf

from visionmtl.balancing.gramian.solvers import minimise
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod
from visionmtl.balancing.hyperparameters import number


class FairGrad(GramianMethod):
    """Divide the update alpha-fairly: weights w with G w = w^(-1 / alpha).

    Reference: Ban and Ji 2024, Fair Resource Allocation in Multi-Task Learning.

    Scale: the equation fixes a length of its own; it is solved for G over its Frobenius norm, as in Nash-MTL's code.
    Fall-back: a zero gradient weighs 0. Where gradients cancel there is no solution: the weights are large but finite.
    """

    paper = "Ban and Ji 2024"
    promise = "no task gets worse; alpha-fair"

    alpha: float = number(2.0, "1 is Nash-MTL, and more helps the worst-off task more", above=0)

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        return alpha_fair(seen, self.alpha)


def alpha_fair(seen: Gradients, alpha: float) -> tf.Tensor:
    """Return the weights w `[K]` with G w = w^(-1 / alpha)."""
    cosines = seen.definite()
    target = seen.norms ** (1 - alpha)
    x = minimise(lambda x: (tf.linalg.matvec(cosines, x), cosines), seen.active, 60, target, alpha)
    frobenius = tf.norm(seen.cosines * seen.norms * seen.norms[:, None])
    return seen.weights(x / seen.norms * frobenius ** (alpha / (1 + alpha)))
