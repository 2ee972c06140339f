"""Task arithmetic: task vectors are summed."""

from collections.abc import Sequence

from visionmtl.merging.task_vectors import Arrays


def summed(vectors: Sequence[Arrays]) -> Arrays:
    """Return the sum of task vectors: `theta = theta_0 + scale * sum_t (theta_t - theta_0)` is merged from it.

    Args:
        vectors: of each model, what training added to each variable; the same shapes in all.

    Reference: Ilharco et al. 2023, Editing Models with Task Arithmetic, section 2.

    Example:
        >>> summed([[np.array([1.0, 2.0])], [np.array([0.5, -2.0])]])
        [array([1.5, 0. ])]
    """
    return [sum(parts[1:], start=parts[0]) for parts in zip(*vectors, strict=True)]
