"""The ceiling of a task: the value of its primary metric from which on it has nothing left to learn."""

import numpy as np

CEILING = 0.99  # of 1: on a validation split of some hundred images the rest is an image or two


def is_reached(value: float) -> bool:
    """Return whether a primary value, in 0..1, is at the ceiling."""
    return value >= CEILING


def counted(values: np.ndarray) -> np.ndarray:
    """Return what of primary values counts in a score, NaN for NaN: up to the ceiling, and no more beyond it.

    A task at its ceiling so adds the same to each score, whatever its metric does there. To leave it out instead would
    change the scale of the score in the middle of a training, and from one run to the next.

    Example:
        >>> counted(np.array([0.7, 0.995, 1.0])).tolist()
        [0.7, 0.99, 0.99]
    """
    return np.minimum(values, CEILING)
