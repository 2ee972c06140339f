"""What a validation measured beyond its figures: precision by recall of each class, and what is taken for what."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorboard.plugins.pr_curve import metadata

from visionmtl import drawing
from visionmtl.board import names

CURVES = "by_confidence", "by_probability"  # of detectors, and of classifiers
THRESHOLDS = 101  # points of a curve
CONFUSION = "Rows are the truth, columns what it is taken for: each row has the fractions of its class."
LARGEST = 40  # classes of a confusion that is still drawn


def write(task: str, classes: Sequence[str], charts: Mapping[str, np.ndarray], step: int) -> None:
    """Write the charts of a task, as `Task.charts` returns them, by the writer in force.

    The dashboard of precision and recall gets the curve of each class. How many were right and wrong, which it shows
    beside a curve, is left at 0: a detector has no number of boxes that it rightly did not find.

    Args:
        task: its name.
        classes: C names.
        charts: "by_confidence" or "by_probability" `[3, T, C]`: precision, recall and F1; "confusion" `[C, C]` or
            `[C + 1, C + 1]`.
        step: of the training.
    """
    by = next((charts[name] for name in CURVES if name in charts), None)
    if by is not None:
        for place, name in enumerate(classes):
            curve = pr_curve(*by[:2, :, place])
            if curve is not None:
                kind = metadata.create_summary_metadata(f"{task}: {name}", "precision by recall", THRESHOLDS)
                tf.summary.write(f"precision_recall/{task}/{name}", curve, step=step, metadata=kind)
    if "confusion" in charts and len(charts["confusion"]) <= LARGEST:
        counts = charts["confusion"]
        labels = [*classes, *["background"] * (len(counts) - len(classes))]
        picture = drawing.matrix(_fractions(counts), labels)
        tag = f"{names.PICTURES}/confusion/{task}"
        tf.summary.image(tag, picture[None], step=step, description=CONFUSION)


def pr_curve(precision: np.ndarray, recall: np.ndarray) -> np.ndarray | None:
    """Return a curve as the dashboard takes it, float32 `[6, 101]`; None where nothing could be found.

    Args:
        precision: by rising confidence `[T]`; NaN where nothing is believed.
        recall: likewise; NaN where there is nothing to find.
    """
    if np.isnan(recall).all():
        return None
    places = np.linspace(0, len(recall) - 1, THRESHOLDS).round().astype(int)
    curve = np.zeros((6, THRESHOLDS), np.float32)
    curve[metadata.PRECISION_INDEX] = np.nan_to_num(precision[places], nan=1.0)  # nothing believed, nothing wrong
    curve[metadata.RECALL_INDEX] = np.nan_to_num(recall[places])
    return curve


def _fractions(counts: np.ndarray) -> np.ndarray:
    """Return each row as fractions of its class in the truth; NaN where it has none."""
    whole = counts.sum(axis=1, keepdims=True).astype(np.float64)
    return np.divide(counts, whole, out=np.full(counts.shape, np.nan), where=whole > 0)
