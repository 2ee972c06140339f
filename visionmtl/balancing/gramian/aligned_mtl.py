"""Independent component alignment."""

from typing import Any

import tensorflow as tf

from visionmtl.balancing.by_task import preference
from visionmtl.balancing.gramian.solvers import eigen
from visionmtl.balancing.gramian_method import Comparison, Gradients, GramianMethod


class AlignedMTL(GramianMethod):
    """Replace the gradients by the nearest orthogonal ones, of the length of their smallest principal component.

    Reference: Senushkin et al. 2023, Independent Component Alignment for Multi-Task Learning, algorithm 1, with task
    preferences p: w = sqrt(l_R) V L^(-1/2) V' p, G being V L V' with its R eigenvalues above rounding, of which l_R is
    the smallest.

    Preference: is p, that of the paper: multiplies a task's aligned gradient, which conflicts with no other's.
    Fall-back: a zero gradient weighs 0.
    """

    paper = "Senushkin et al. 2023"
    promise = "orthogonal gradients of one length; a well-conditioned step"
    equation = "w = sqrt(l_R) V L^(-1/2) V' p, G = V L V'"
    when = "where one task's gradient is much longer than the others', and preferences are to be met"

    preference: Any = preference()

    def weights(self, seen: Gradients, comparison: Comparison) -> tf.Tensor:
        K = seen.norms.shape[0]
        apart = tf.linalg.eigvalsh(seen.cosines)
        rank = tf.reduce_sum(tf.cast(apart > seen.rounding * tf.reduce_max(apart), tf.int32))
        values, vectors = eigen(seen.cosines * seen.norms * seen.norms[:, None])
        kept = (tf.range(K) >= K - rank) & (values > 0)
        smallest = tf.reduce_min(tf.where(kept, values, 1e300))
        components = tf.linalg.matvec(vectors, seen.active * comparison.preferred(seen), transpose_a=True)
        scaled = tf.where(kept, components * tf.sqrt(smallest / tf.where(kept, values, 1.0)), 0.0)
        return seen.weights(tf.linalg.matvec(vectors, scaled))
