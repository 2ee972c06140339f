"""Between what charts of arms are drawn, which of them no other betters, and names that an axis has room for."""

import numpy as np

LETTERS = 52  # of a name beside an axis


def short(name: str) -> str:
    """Return a name that an axis has room for."""
    return name if len(name) <= LETTERS else f"{name[: LETTERS // 2]}…{name[1 - LETTERS // 2 :]}"


def pareto(points: np.ndarray) -> np.ndarray:
    """Return which of some points, `[N, 2]`, no other betters, where more is better in both: bool `[N]`."""
    at_least = (points[None] >= points[:, None]).all(axis=-1)
    more = np.any(points[None] > points[:, None], axis=-1)
    return ~np.any(at_least & more, axis=1)


def finished_front(points: np.ndarray, done: np.ndarray) -> np.ndarray:
    """Return which points, `[N, 2]`, are the Pareto set of those that are done, or of all where none is: bool `[N]`."""
    among = done if done.any() else np.ones(len(points), bool)
    front = np.zeros(len(points), bool)
    front[among] = pareto(points[among])
    return front


def limits(means: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Return between which gains a chart is drawn: all means and most intervals, not the widest of a few seeds."""
    reach = 1.6 * np.nanquantile(np.abs(np.concatenate([low, high, means])), 0.8)
    least, most = np.nanmin([*means, 0.0]), np.nanmax([*means, 0.0])
    ends = max(-reach, np.nanmin([*low, least])), min(reach, np.nanmax([*high, most]))
    span = max(ends[1], most) - min(ends[0], least) or 1.0
    return min(ends[0], least) - 0.07 * span, max(ends[1], most) + 0.07 * span
