"""What looks at a training say of its tasks: inter-task affinity and cosines, and what is known of each pair."""

from typing import Any, NamedTuple

import numpy as np

COMMON = 0.4  # fraction of a pair's images labelled for both below which nothing is said of it
CLEAR = "help", "hinder"  # what an interval says that is above 0, or below it


class Interval(NamedTuple):
    """A figure and the 95% interval around it, arrays of one shape; NaN where nothing is known."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def lookahead(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the inter-task affinities `[S, K, K]` of S looks: by how much a step for one task lowers another's loss.

    `Z[i, j] = 1 - L_j(after a step of the shared parameters on task i's gradient alone) / L_j(before)`: 0.01 where the
    step lowers the other's loss by one percent. NaN where one of the two has no label in the batch, or a loss is not
    finite.

    Args:
        before: `[S, K]`, the losses of the K tasks; NaN for a task without labels.
        after: `[S, K, K]`, the losses of all tasks once the shared parameters made a step for the one of the row.

    Reference: Fifty et al. 2021, Efficiently Identifying Task Groupings for Multi-Task Learning, equation 1.
    """
    known = np.isfinite(before) & (before != 0)
    ratio = np.divide(after, before[:, None, :], out=np.full(after.shape, np.nan), where=known[:, None, :])
    return np.where(known[:, :, None] & np.isfinite(ratio), 1.0 - ratio, np.nan)


def cosines(gramians: np.ndarray) -> np.ndarray:
    """Return the cosines `[..., K, K]` of Gramians; NaN beside a gradient that is zero, where there is no direction."""
    lengths = np.sqrt(np.diagonal(gramians, axis1=-2, axis2=-1))
    products = lengths[..., :, None] * lengths[..., None, :]
    return np.divide(gramians, products, out=np.full(gramians.shape, np.nan), where=products > 0)


def shared(both: np.ndarray) -> np.ndarray:
    """Return the fraction `[K, K]` of the images labelled for either task of a pair that are labelled for both.

    Args:
        both: `[K, K]`, how many images are labelled for both; on the diagonal, for the task.
    """
    own = np.diag(both)
    either = own[:, None] + own[None, :] - both
    return np.divide(both, either, out=np.zeros(both.shape), where=either > 0)


def symmetric(values: np.ndarray) -> np.ndarray:
    """Return the means `[..., K, K]` of both directions; of one where the other is not known."""
    turned = np.swapaxes(values, -1, -2)
    known = np.isfinite(values).astype(float) + np.isfinite(turned)
    total = np.nan_to_num(values) + np.nan_to_num(turned)
    return np.divide(total, known, out=np.full(values.shape, np.nan), where=known > 0)


def listed(values: np.ndarray) -> Any:
    """Return an array as JSON has it, lists or one number; None for what is not finite."""
    found = np.array(values, object)
    found[~np.isfinite(values)] = None
    return found.tolist()


def array(values: Any) -> np.ndarray:
    """Return the array that `listed` made lists of, NaN where they have None."""
    return np.array(values, np.float64)


def verdict(low: float, high: float, common: float) -> str:
    """Return what an interval says of a pair of tasks, of whose images a fraction is labelled for both."""
    if common < COMMON:
        return "no verdict"
    if not (np.isfinite(low) and np.isfinite(high)):
        return "not measured"
    helps, hinders = CLEAR
    return helps if low > 0 else hinders if high < 0 else "no difference"
