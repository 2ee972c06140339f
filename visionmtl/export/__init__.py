"""Trained models in forms that other programs load; one file a format.

From outside come `save` and `names`. A new format is one file with a subclass of `format.Format`, as `savedmodel.py`,
which writes into an empty folder; `versions.py` makes that the next version, whole or not at all.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines import discovery
from pipelines.pixels.rules import RESIZES
from visionmtl.errors import one_of
from visionmtl.export import versions
from visionmtl.export.format import Format, Serving
from visionmtl.model import MultiTaskModel
from visionmtl.model.kept import confidences as checked_confidences

FORMATS = discovery.classes(__name__, Format)

__all__ = ["FORMATS", "Serving", "names", "save"]


def names() -> list[str]:
    """Return the names of the formats."""
    return list(FORMATS)


def save(
    model: MultiTaskModel,
    folder: str | Path,
    *,
    resize: str | None = None,
    confidences: float | Mapping[str, Any] | None = None,
    format: str = "savedmodel",
) -> Path:
    """Write a model as `folder/<version>/`, the next free number, whole or not at all.

    Args:
        model: a trained model.
        folder: the folder of all versions.
        resize: how pictures of another shape are brought to the network's input, "stretch" or "letterbox"; None for
            that of the model's training, `model.resize`.
        confidences: from which score on objects are taken for such: a number for all, or by task a number or one for
            each class; None for those chosen in the model's training, `model.confidences`.
        format: one of `names()`; each class in `FORMATS` says what it writes.

    Returns:
        The version's folder.

    Raises:
        UsageError: `resize` or `format` is unknown, the model has no such task, class or confidence, or the folder
            cannot be written, for example because the disk is full.

    Example:
        >>> served = tf.saved_model.load(visionmtl.export.save(model, "saved_models/street"))
        >>> photographs = tf.constant([Path("photo.jpg").read_bytes()])
        >>> predictions = served.signatures["serving_bytes"](encoded=photographs)
        >>> predictions["segmentation_classes"].shape  # in the pixels of the photograph
        TensorShape([1, 40, 60])
    """
    resize = model.resize if resize is None else one_of(resize, RESIZES, "resize")
    by_task = dict.fromkeys(model.confidences, confidences) if isinstance(confidences, float | int) else confidences
    given = checked_confidences(model, by_task)
    least = model.confidences | {name: value for name, value in given.items() if value is not None}
    chosen = FORMATS[one_of(format, FORMATS, "export format")]()
    serving = Serving(resize, least)
    return versions.write(Path(folder), lambda partial: chosen.write(model, partial, serving))
