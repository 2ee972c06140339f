"""The proof of an export: run in a fresh process by its own runtime alone, it says of pictures what the model says."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tensorflow as tf

from visionmtl import images
from visionmtl.errors import UsageError
from visionmtl.export import agreement
from visionmtl.export.agreement import Difference
from visionmtl.export.format import Format, Serving, least_scores
from visionmtl.export.telling import RECORD
from visionmtl.model import MultiTaskModel

BEFORE = """
import sys
sys.modules |= dict.fromkeys(("visionmtl", "pipelines", "keras"))  # None: it cannot be imported
import numpy as np
folder, file, given, answered = sys.argv[1:]
"""
AFTER = """
found = {}
with np.load(given) as pictures:
    for place in pictures.files:
        found |= {f"{place}/{name}": np.asarray(value) for name, value in answer(pictures[place][None]).items()}
np.savez(answered, **found)
"""


def prove(
    model: MultiTaskModel,
    folder: Path,
    formats: Mapping[str, Format],
    serving: Serving,
    pictures: Sequence[np.ndarray],
) -> None:
    """Compare what each format answers with what the model says, and write how far they agree to `export.json`.

    Args:
        model: that was exported.
        folder: where to.
        formats: in which, by name.
        serving: how it was.
        pictures: uint8 `[h, w, 3]`, of any sizes.

    Raises:
        UsageError: a format does not run, or an output differs by more than it may; the message says which, and by how
            much.
    """
    least = {task: least_scores(model, task, serving) for task in model.confidences}
    expected = [_expected(model, picture, serving.resize, least) for picture in pictures]
    said = {}
    for name, made in formats.items():
        found = _worst(
            [
                agreement.compare(model.tasks, ours, theirs, least)
                for ours, theirs in zip(expected, _answers(name, made, folder, pictures), strict=True)
            ]
        )
        if wrong := [str(each) for each in found if not each.agrees]:
            raise UsageError(
                f"The export as {name} does not say what the model says: {'; '.join(wrong)}. Nothing was exported, and"
                " the versions before are as they were."
            )
        said[name] = [asdict(each) for each in found]
    record = {"pictures": [list(picture.shape[:2]) for picture in pictures], "formats": said}
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _expected(
    model: MultiTaskModel, picture: np.ndarray, resize: str, least: Mapping[str, list[float]]
) -> dict[str, np.ndarray]:
    """Return what the model says of a picture."""
    fitted, window = images.fit(tf.constant(picture[None]), model.image_size, resize)
    window = None if resize == "stretch" else window
    decoded = model.decode(model(fitted, training=False), picture.shape[:2], window, least)
    return {name: np.asarray(value) for name, value in decoded.items()}


def _answers(name: str, made: Format, folder: Path, pictures: Sequence[np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    """Yield what an exported model answers to each picture, in a process of its own."""
    with TemporaryDirectory() as place:
        given, answered = Path(place, "given.npz"), Path(place, "answered.npz")
        np.savez(given, *pictures)
        program = BEFORE + made.runner + AFTER
        arguments = [sys.executable, "-P", "-c", program, str(folder), made.file, str(given), str(answered)]
        done = subprocess.run(arguments, capture_output=True, text=True, errors="replace")
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
            raise UsageError(
                f"The export as {name} does not run: {last}. Nothing was exported, and the versions before are as they"
                " were."
            )
        with np.load(answered) as found:
            for number in range(len(pictures)):
                start = f"arr_{number}/"
                yield {key.removeprefix(start): found[key] for key in found.files if key.startswith(start)}


def _worst(of_pictures: Sequence[Sequence[Difference]]) -> list[Difference]:
    """Return the greatest difference of each output over pictures, and all its ties."""
    worst: dict[str, Difference] = {}
    for each in (each for differences in of_pictures for each in differences):
        before = worst.get(each.output, each)
        ties = each.ties + (before.ties if each.output in worst else 0)
        greater = before if before.value >= each.value else each
        worst[each.output] = Difference(greater.output, greater.value, greater.bound, greater.unit, ties)
    return list(worst.values())
