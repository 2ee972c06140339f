"""TIES: task vectors are trimmed, agree on a sign for each number, and those of that sign are averaged."""

from collections.abc import Sequence

import numpy as np

from visionmtl.merging.task_vectors import Arrays


def agreed(vectors: Sequence[Arrays], keep: float) -> Arrays:
    """Return what task vectors agree on.

    Of each vector all but its largest numbers become 0. The sign of a number is that of its sum over the vectors, and
    its value the mean over those vectors whose number has this sign, 0 where there are none.

    Where numbers cancel to a sum of 0 nothing agrees, as the paper says; the authors' code gives them the sign that
    most numbers have. It also keeps one number more than the fraction says.

    Args:
        vectors: of each model, what training added to each variable; the same shapes in all.
        keep: the fraction of the numbers of a vector, over all its variables, that stay.

    Reference: Yadav et al. 2023, TIES-Merging: Resolving Interference When Merging Models, algorithm 1.

    Example:
        >>> agreed([[np.array([3.0, -2.0, 0.1, 4.0])], [np.array([1.0, 3.0, 0.2, -6.0])]], keep=0.75)
        [array([ 2.,  3.,  0., -6.])]
    """
    merged = []
    for parts in zip(*(trimmed(vector, keep) for vector in vectors), strict=True):
        numbers = np.stack(parts)
        sign = np.sign(np.sum(numbers, axis=0, dtype=np.float64))
        agreeing = (np.sign(numbers) == sign) & (numbers != 0)
        sums = np.sum(numbers, axis=0, where=agreeing, dtype=np.float64)
        merged.append(sums / np.maximum(np.sum(agreeing, axis=0), 1))
    return merged


def trimmed(vector: Arrays, keep: float) -> Arrays:
    """Return a vector with 0 for all but a fraction of its numbers, the largest; those as large as the least stay."""
    sizes = np.concatenate([np.abs(part).ravel() for part in vector])
    place = sizes.size - max(1, round(keep * sizes.size))
    least = np.partition(sizes, place)[place]
    return [np.where(np.abs(part) >= least, part, 0) for part in vector]
