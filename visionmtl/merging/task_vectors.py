"""Task vectors: what training added to each variable of a backbone, taken from weights and put back into them."""

from collections.abc import Callable, Sequence

import numpy as np

Arrays = list[np.ndarray]  # one for each variable


def between(start: Arrays, trained: Sequence[Arrays]) -> list[Arrays]:
    """Return of each model what training added to each variable, `trained - start`."""
    return [[np.subtract(a, b) for a, b in zip(each, start, strict=True)] for each in trained]


def merged(start: Arrays, trained: Sequence[Arrays], combine: Callable[[list[Arrays]], Arrays], scale: float) -> Arrays:
    """Return `start + scale * combine(vectors)`, where the vectors are `trained - start`.

    Args:
        start: the variables before training, the same of all models.
        trained: those of each model.
        combine: makes one vector of several, such as `arithmetic.summed`.
        scale: of the vector that is added.

    Example:
        >>> from visionmtl.merging.arithmetic import summed
        >>> merged([np.array([1.0])], [[np.array([3.0])], [np.array([0.0])]], summed, scale=1.0)
        [array([2.])]
    """
    added = combine(between(start, trained))
    return [(a + scale * np.asarray(b, np.float64)).astype(a.dtype) for a, b in zip(start, added, strict=True)]
