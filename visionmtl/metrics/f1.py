"""F1 of detections by the score from which on they are believed."""

import numpy as np

from visionmtl.metrics.metric import ratio

DIGITS = 4  # to which a confidence is rounded, where that leaves it between the same two scores


def best(scores: np.ndarray, right: np.ndarray, objects: int) -> float:
    """Return the confidence of the best F1, halfway between the last score that is believed and the next.

    Of several that are as good, it is the highest, which believes the fewest detections.

    Args:
        scores: of all detections of a class `[N]`.
        right: bool `[N]`, whether each found an object.
        objects: how many there are to find.

    Returns:
        A number in 0..1; NaN where no detection is right.

    Example:
        >>> best(np.array([0.9, 0.6, 0.2]), np.array([True, True, False]), 2)
        0.4
    """
    if not right.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(right[order])
    below = np.append(scores[1:], 0.0)
    value = np.where(scores > below, 2 * hits / (np.arange(len(scores)) + 1 + objects), 0.0)
    last = int(np.argmax(value))
    between = (scores[last] + below[last]) / 2
    short = round(float(between), DIGITS)
    return short if below[last] < short <= scores[last] else float(between)


def over(confidences: np.ndarray, scores: np.ndarray, right: np.ndarray, objects: int) -> np.ndarray:
    """Return precision, recall and F1 if detections are believed from each of some confidences on, `[3, T]`.

    Args:
        confidences: `[T]`.
        scores: of all detections of a class `[N]`.
        right: bool `[N]`, whether each found an object.
        objects: how many there are to find.

    Returns:
        float64; NaN where nothing is believed (precision), or there is nothing to find (recall), or neither (F1).

    Example:
        >>> over(np.array([0.5]), np.array([0.9, 0.6, 0.2]), np.array([True, False, True]), 2)[:, 0].tolist()
        [0.5, 0.5, 0.5]
    """
    order = np.argsort(scores, kind="stable")
    first = np.searchsorted(scores[order], confidences)  # that is believed
    hits = np.append(np.cumsum(right[order][::-1])[::-1], 0)[first]
    believed = len(scores) - first
    return np.stack(
        [ratio(hits, believed), ratio(hits, np.full_like(hits, objects)), ratio(2 * hits, believed + objects)]
    )
