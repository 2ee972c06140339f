"""How far boxes overlap, in NumPy: for one picture, TensorFlow takes a millisecond to begin."""

import numpy as np

LEAST = 1e-9  # square pixels: no area is divided by less


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the intersection over union of boxes `[M, 4]` and `[N, 4]`, `[M, N]`.

    Example:
        >>> overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
        [[0.333, 0.0]]
    """
    one, other = first[:, None], second[None]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = np.maximum(sides, 0).prod(axis=-1)
    areas = [np.maximum(each[..., 2:] - each[..., :2], 0).prod(axis=-1) for each in (one, other)]
    return shared / np.maximum(areas[0] + areas[1] - shared, LEAST)


def covered(predicted: np.ndarray, overlap: float = 0.8) -> np.ndarray:
    """Return which boxes `[M, 4]`, the best first, lie on a better one.

    Example:
        >>> covered(np.array([[0.0, 0, 9, 9], [20, 20, 30, 30], [0, 0, 9, 10]])).tolist()
        [False, False, True]
    """
    return np.logical_or.reduce(np.triu(overlaps(predicted, predicted) > overlap, k=1), axis=0)
