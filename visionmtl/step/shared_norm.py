"""The limit of a balancer on the gradient of what several tasks train; `clip_norm` of `compile` is that of all."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from visionmtl.step.backward import Backward
from visionmtl.step.replicas import sum_over_replicas
from visionmtl.step.update import global_norm


def limited(
    back: Backward, variables: Sequence[Any], shared: Sequence[Any], max_norm: float, unit: tf.Tensor
) -> Backward:
    """Return what came back with the gradient of what several tasks train at most so long, over all replicas.

    Args:
        back: what came back.
        variables: N, of its gradients.
        shared: those of them that several tasks train.
        max_norm: the largest norm.
        unit: what the gradients are scaled by, as for float16.
    """
    wanted = {id(variable) for variable in shared}
    gradients = list(back.gradients)
    if not back.summed:
        known = [place for place, gradient in enumerate(gradients) if gradient is not None]
        for place, total in zip(known, sum_over_replicas([gradients[place] for place in known]), strict=True):
            gradients[place] = total
    clipped = [place for place, variable in enumerate(variables) if id(variable) in wanted]
    clipped = [place for place in clipped if gradients[place] is not None]
    if not clipped:
        return back
    norm = global_norm([gradients[place] for place in clipped], unit)
    factor = tf.minimum(1.0, max_norm / tf.maximum(norm, 1e-12))
    for place in clipped:
        gradients[place] = gradients[place] * tf.cast(factor, gradients[place].dtype)
    return back._replace(gradients=gradients, summed=True)
