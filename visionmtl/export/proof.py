"""The proof of an export: run in a fresh process by its own runtime alone, it says of pictures what the model says."""

import functools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl import images
from visionmtl.errors import UsageError
from visionmtl.export import agreement, change, running
from visionmtl.export.agreement import Difference
from visionmtl.export.change import Batch, Trial
from visionmtl.export.format import FLOAT32, Format, Serving, least_scores
from visionmtl.export.telling import RECORD
from visionmtl.model import MultiTaskModel

Record = dict[str, Any]


def prove(
    model: MultiTaskModel,
    folder: Path,
    formats: Mapping[str, Format],
    serving: Serving,
    pictures: Sequence[np.ndarray],
    trial: Trial | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Compare what each format answers with what the model says, and write how far they agree to `export.json`.

    A format in float32 is to say what the model says; one of another precision, to answer at all, and to lose no more
    of any task's metric than it may.

    Args:
        model: that was exported.
        folder: where to.
        formats: in which, by what they are called.
        serving: how it was.
        pictures: uint8 `[h, w, 3]`, of any sizes.
        trial: what formats of other precisions are measured on; None where they are not.
        about: what else is to be written there.

    Raises:
        UsageError: a format does not run, an output differs by more than it may, or a metric falls by more; the message
            says which, and by how much.
    """
    near = _agreements(model, folder, formats, serving, pictures)
    record = {"pictures": [list(picture.shape[:2]) for picture in pictures], "formats": near}
    reduced = {label: made for label, made in formats.items() if made.precision != FLOAT32}
    if trial is not None and reduced:
        record["changes"] = _changes(model, folder, reduced, serving, trial)
    record |= about or {}
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _agreements(
    model: MultiTaskModel,
    folder: Path,
    formats: Mapping[str, Format],
    serving: Serving,
    pictures: Sequence[np.ndarray],
) -> dict[str, list[Record]]:
    """Return how near each format is to the model on some pictures."""
    least = {task: least_scores(model, task, serving) for task in model.confidences}
    expected = [_expected(model, picture, serving.resize, least) for picture in pictures]
    said = {}
    for label, made in formats.items() if len(pictures) else ():
        answered = running.answers(label, made, folder, pictures)
        found = _worst(
            [
                agreement.compare(model.tasks, ours, theirs, least)
                for ours, theirs in zip(expected, answered, strict=True)
            ]
        )
        exact = made.precision == FLOAT32
        if wrong := [str(each) for each in found if not (each.agrees if exact else math.isfinite(each.value))]:
            raise UsageError(
                f"The export as {label} does not say what the model says: {'; '.join(wrong)}. {running.KEPT}"
            )
        said[label] = [asdict(each) | ({} if exact else {"bound": None}) for each in found]
    return said


def _changes(
    model: MultiTaskModel, folder: Path, formats: Mapping[str, Format], serving: Serving, trial: Trial
) -> dict[str, Record]:
    """Return what each task's metric is, of the model and of each format."""
    sizes: list[int] = []
    before, found = change.by_model(model, _counted(trial.batches, sizes)), {}
    for label, made in formats.items():
        with made.with_all_objects(model, folder, serving) as place:
            answers = functools.partial(running.answers, label, made, place, least=0.0)
            after = change.by_export(model, trial.batches, answers)
        changes = change.changes(model, before, after)
        if lost := [str(each) for each in changes if not each.within(trial.bound)]:
            raise UsageError(
                f"The export as {label} loses more than {trial.bound:g}, the bound of export.metric_change: "
                f"{'; '.join(lost)}. {running.KEPT}"
            )
        found[label] = {
            "pictures": sum(sizes),
            "bound": trial.bound,
            "tasks": [_plain(asdict(each)) for each in changes],
        }
    return found


def _counted(batches: Iterable[Batch], sizes: list[int]) -> Iterator[Batch]:
    """Yield batches, and note how many pictures are in each."""
    for batch in batches:
        sizes.append(len(batch[0]))
        yield batch


def _plain(record: Record) -> Record:
    """Return a record without what JSON cannot say."""
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in record.items()}


def _expected(
    model: MultiTaskModel, picture: np.ndarray, resize: str, least: Mapping[str, list[float]]
) -> dict[str, np.ndarray]:
    """Return what the model says of a picture."""
    fitted, window = images.fit(tf.constant(picture[None]), model.image_size, resize)
    window = None if resize == "stretch" else window
    decoded = model.decode(model(fitted, training=False), picture.shape[:2], window, least)
    return {name: np.asarray(value) for name, value in decoded.items()}


def _worst(of_pictures: Sequence[Sequence[Difference]]) -> list[Difference]:
    """Return the greatest difference of each output over pictures, and all its ties."""
    worst: dict[str, Difference] = {}
    for each in (each for differences in of_pictures for each in differences):
        before = worst.get(each.output, each)
        ties = each.ties + (before.ties if each.output in worst else 0)
        greater = before if before.value >= each.value else each
        worst[each.output] = Difference(greater.output, greater.value, greater.bound, greater.unit, ties)
    return list(worst.values())
