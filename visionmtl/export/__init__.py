"""Trained models in forms that other programs load; one file a format.

From outside come `save`, `Origin`, `names`, `chosen` and `told`. A new format is one file with a subclass of
`format.Format`, as `savedmodel.py`, which writes files of names of its own into a folder; `versions.py` makes that the
next version, whole or not at all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import discovery
from pipelines.pixels.rules import RESIZES
from visionmtl.errors import UsageError, check_number, one_of, some_of
from visionmtl.export import card, checksums, labels, narrowing, precisions, proof, signature, versions
from visionmtl.export.card import Origin
from visionmtl.export.change import Batch, Trial
from visionmtl.export.format import FLOAT32, Format, Serving
from visionmtl.export.telling import told
from visionmtl.model import MultiTaskModel
from visionmtl.model.kept import confidences as checked_confidences

FORMATS = discovery.classes(__name__, Format)

__all__ = ["FORMATS", "Origin", "Serving", "chosen", "names", "save", "told"]


def names() -> list[str]:
    """Return the names of the formats."""
    return list(FORMATS)


def chosen(format: str | Sequence[str]) -> list[str]:
    """Return the names of the formats that are asked for.

    Args:
        format: one name or several, in a list or parted by commas.

    Raises:
        UsageError: one is unknown, is named twice, or needs a package that is not installed; or none is named.

    Example:
        >>> chosen("savedmodel")
        ['savedmodel']
    """
    wanted = some_of(format, FORMATS, "export format")
    for name in wanted:
        FORMATS[name].check(name)
    return wanted


def save(
    model: MultiTaskModel,
    folder: str | Path,
    *,
    resize: str | None = None,
    confidences: float | Mapping[str, Any] | None = None,
    format: str | Sequence[str] = "savedmodel",
    pictures: Sequence[np.ndarray] = (),
    tasks: str | Sequence[str] | None = None,
    size: tuple[int, int] | None = None,
    batch: int | None = None,
    precision: str | Sequence[str] = FLOAT32,
    calibration: Sequence[np.ndarray] = (),
    validation: Iterable[Batch] | None = None,
    metric_change: float = 0.01,
    about: Mapping[str, Any] | None = None,
    origin: Origin | None = None,
) -> Path:
    """Write a model as `folder/<version>/`, the next free number, whole or not at all, in one format or several.

    The files of all formats lie beside each other, under the names that servers look for: `saved_model.pb` with
    `variables/`, `model.onnx`. `labels.json` names each task's kind and classes, and the confidences of classes of
    objects; `signature.json` says what goes in and comes out, and what it means; `SHA256SUMS` has the checksums of all.

    Args:
        model: a trained model; what its sharing scheme chose among and left is not exported, which is printed.
        folder: the folder of all versions.
        resize: how pictures of another shape are brought to the network's input, "stretch" or "letterbox"; None for
            that of the model's training, `model.resize`.
        confidences: from which score on objects are taken for such: a number for all, or by task a number or one for
            each class; None for those chosen in the model's training, `model.confidences`.
        format: one of `names()` or several, in a list or parted by commas; each class in `FORMATS` says what it
            writes.
        pictures: uint8 `[h, w, 3]`, RGB, of any sizes, on which each format proves itself: loaded in a fresh process by
            its own runtime alone, it says what the model says; `export.json` has how near. None without a proof.
        tasks: names of those that are exported, in a list or parted by commas; no operation and no weight of another is
            in the export, but where the sharing scheme mixes in what it computes for others, which is printed. None for
            all.
        size: height and width of the network's input in pixels; None for those of its training. Pictures of any size
            are resized to it.
        batch: 1 for runtimes that want to know how many pictures there are in a batch; None for any number.
        precision: of the network, "float32", "float16", "dynamic" or "int8", or several, in a list or parted by commas;
            each format is written in those that it has.
        calibration: uint8 `[h, w, 3]`, pictures like those of training, by which int8 chooses its ranges.
        validation: batches `(images, labels, weights)`, a data set or a list, on which each task's metric is
            measured, of the model and of each format that is not in float32; None to measure none.
        metric_change: what such a format may lose of any task's metric, as 0.01 for 0.76 in place of 0.77.
        about: what else `export.json` is to say, such as where the pictures are from.
        origin: what the model card, `README.md`, is to say of the training: its figures, and how many images there
            were. What is not known is left to be filled in.

    Returns:
        The version's folder.

    Raises:
        UsageError: an export does not say what the model does, or loses more than it may; `resize`, `format` or
            `precision` is unknown, one needs a package that is not installed or cannot hold the model; the model has no
            such task, class or confidence, or cannot be of this size; or the folder cannot be written, for example
            because the disk is full.

    Example:
        >>> served = tf.saved_model.load(visionmtl.export.save(model, "saved_models/street"))
        >>> photographs = tf.constant([Path("photo.jpg").read_bytes()])
        >>> predictions = served.signatures["serving_bytes"](encoded=photographs)
        >>> predictions["segmentation_classes"].shape  # in the pixels of the photograph
        TensorShape([1, 40, 60])
    """
    if batch not in (None, 1):
        raise UsageError(f"An export was given a batch of {batch!r}: expected 1, or None for any number of pictures.")
    model = narrowing.at_size(narrowing.of_tasks(narrowing.settled(model), tasks), size)
    resize = model.resize if resize is None else one_of(resize, RESIZES, "resize")
    by_task = dict.fromkeys(model.confidences, confidences) if isinstance(confidences, float | int) else confidences
    given = checked_confidences(model, by_task)
    least = model.confidences | {name: value for name, value in given.items() if value is not None}
    formats = precisions.made({name: FORMATS[name] for name in chosen(format)}, precision, calibration)
    bound = check_number("An export", "metric_change", metric_change, at_least=0)
    batches = list(validation) if isinstance(validation, Iterator) else validation
    trial = None if batches is None else Trial(batches, float(bound))
    serving = Serving(resize, least, batch)

    def fill(partial: Path) -> None:
        for each in formats.values():
            each.write(model, partial, serving)
        labels.write(model, partial, serving)
        signature.write(model, partial, formats)
        if len(pictures) or trial or about:
            proof.prove(model, partial, formats, serving, pictures, trial, about)
        card.write(model, partial, Path(folder).name, formats, serving, origin or Origin())
        checksums.write(partial)

    return versions.write(Path(folder), fill)
