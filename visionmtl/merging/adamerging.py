"""AdaMerging: each variable of each task vector has a coefficient, learnt so that merged outputs are decided."""

from collections.abc import Callable, Sequence

import numpy as np

from visionmtl.merging.task_vectors import Arrays

FIRST, RATE, STEPS = 0.3, 1e-3, 500  # of the authors' code
DECAYS, EPSILON = (0.9, 0.999), 1e-8  # Adam's there

Slopes = Callable[[Arrays], Arrays]


def weighed(vectors: Sequence[Arrays], coefficients: np.ndarray) -> Arrays:
    """Return the sum of task vectors, each variable times its coefficient.

    Args:
        vectors: of each of T models, what training added to each of L variables; the same shapes in all.
        coefficients: `[T, L]`.

    Example:
        >>> weighed([[np.array([1.0, 2.0])], [np.array([4.0, 0.0])]], np.array([[1.0], [0.5]]))
        [array([3., 2.])]
    """
    by_variable = zip(*vectors, strict=True)
    return [
        sum(part * coefficient for part, coefficient in zip(parts, column, strict=True))
        for parts, column in zip(by_variable, np.transpose(coefficients), strict=True)
    ]


def learnt(vectors: Sequence[Arrays], slopes: Slopes, steps: int = STEPS) -> np.ndarray:
    """Return the coefficients `[T, L]` by which the entropy of a merged model's outputs falls, each in 0..1.

    Adam minimises `sum_t H_t(theta)`, where `theta_l = theta_0l + sum_t lambda_tl (theta_tl - theta_0l)` and H_t is the
    mean entropy of task t's outputs on pictures. By the chain rule the gradient by `lambda_tl` is the inner product of
    the gradient by `theta_l` and of what training added to it. A coefficient of the paper is a layer's; here, as in the
    authors' code, each variable has one, and all are clipped to 0..1. They start at 0.3.

    Args:
        vectors: of each model, what training added to each variable.
        slopes: takes what is added to the start, and returns the gradient of the sum of entropies by each variable, on
            pictures that may be others at each step.
        steps: of Adam.

    Reference: Yang et al. 2024, AdaMerging: Adaptive Model Merging for Multi-Task Learning, equations 5 and 6.
    """
    raw = np.full((len(vectors), len(vectors[0])), FIRST)
    mean, square = np.zeros_like(raw), np.zeros_like(raw)
    for step in range(1, steps + 1):
        by_variable = slopes(weighed(vectors, np.clip(raw, 0, 1)))
        gradient = np.array([[_inner(*pair) for pair in zip(vector, by_variable, strict=True)] for vector in vectors])
        gradient *= (raw >= 0) & (raw <= 1)  # a clipped one has none
        mean = DECAYS[0] * mean + (1 - DECAYS[0]) * gradient
        square = DECAYS[1] * square + (1 - DECAYS[1]) * gradient**2
        towards, size = mean / (1 - DECAYS[0] ** step), square / (1 - DECAYS[1] ** step)
        raw -= RATE * towards / (np.sqrt(size) + EPSILON)
    return np.clip(raw, 0, 1)


def _inner(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.vdot(np.asarray(one, np.float64), np.asarray(other, np.float64)))
