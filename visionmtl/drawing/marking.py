"""Which objects of a picture are drawn: those whose score reaches the confidence of their class."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def marked(
    predictions: Mapping[str, Any], classes: Sequence[str], confidences: Mapping[str, float] | None
) -> dict[str, Any]:
    """Return a picture's predictions with "shown", `[N]`, which objects a drawing has; those that say it stay so.

    Args:
        predictions: of one task; of a task that finds no objects, or one of another form, they stay as they are.
        classes: of the task.
        confidences: by class; None where none was chosen: a drawing has its own.
    """
    if confidences is None or "scores" not in predictions or "classes" not in predictions or "shown" in predictions:
        return dict(predictions)
    return {**predictions, "shown": reaching(predictions, classes, confidences)}


def reaching(
    predictions: Mapping[str, Any], classes: Sequence[str], confidences: Mapping[str, float], part: float = 1.0
) -> np.ndarray:
    """Return which objects of a picture, bool `[N]`, reach this part of the confidence of their class."""
    least = part * np.array([confidences[name] for name in classes])
    real = predictions["classes"] >= 0
    return real & (predictions["scores"] >= least[np.where(real, predictions["classes"], 0)])
