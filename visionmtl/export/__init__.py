"""Trained models in forms that other programs load; one file a format.

From outside come `save` and `names`. A new format is one file with a subclass of `format.Format`, as `savedmodel.py`,
which writes into an empty folder; `versions.py` makes that the next version, whole or not at all.
"""

from pathlib import Path

from pipelines import discovery
from pipelines.pixels.rules import RESIZES
from visionmtl.errors import one_of
from visionmtl.export import versions
from visionmtl.export.format import Format
from visionmtl.model import MultiTaskModel

FORMATS = discovery.classes(__name__, Format)

__all__ = ["FORMATS", "names", "save"]


def names() -> list[str]:
    """Return the names of the formats."""
    return list(FORMATS)


def save(model: MultiTaskModel, folder: str | Path, *, resize: str | None = None, format: str = "savedmodel") -> Path:
    """Write a model as `folder/<version>/`, the next free number, whole or not at all.

    Args:
        model: a trained model.
        folder: the folder of all versions.
        resize: how pictures of another shape are brought to the network's input, "stretch" or "letterbox"; None for
            that of the model's training, `model.resize`.
        format: one of `names()`; each class in `FORMATS` says what it writes.

    Returns:
        The version's folder.

    Raises:
        UsageError: `resize` or `format` is unknown, or the folder cannot be written, for example because the disk is
            full.

    Example:
        >>> served = tf.saved_model.load(visionmtl.export.save(model, "saved_models/street"))
        >>> photographs = tf.constant([Path("photo.jpg").read_bytes()])
        >>> predictions = served.signatures["serving_bytes"](encoded=photographs)
        >>> predictions["segmentation_classes"].shape  # in the pixels of the photograph
        TensorShape([1, 40, 60])
    """
    resize = model.resize if resize is None else one_of(resize, RESIZES, "resize")
    chosen = FORMATS[one_of(format, FORMATS, "export format")]()
    return versions.write(Path(folder), lambda partial: chosen.write(model, partial, resize))
