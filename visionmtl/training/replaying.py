"""A step that was not finite, done again from what its run kept of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from visionmtl.callbacks.nonfinite import seeds
from visionmtl.errors import UsageError
from visionmtl.report import tables
from visionmtl.step.admission import Batch
from visionmtl.step.diagnosis import Diagnosis
from visionmtl.training import runs


def replay(folder: str | Path) -> Diagnosis:
    """Do a step again that a training skipped, and print each task's loss and gradient and what is not finite first.

    Args:
        folder: `RUN/nan-<n>`, as a training left it.

    Raises:
        UsageError: it is no such folder, or the batch was not kept.
    """
    folder = Path(folder)
    if not (folder / "step.json").is_file():
        raise UsageError(f"'{folder}' holds no step to do again: give a folder such as RUN/nan-1 that a training left.")
    about = json.loads((folder / "step.json").read_text(encoding="utf-8"))
    model, _ = runs.load_model(folder / "model.keras")
    for seed, value in zip(seeds(model), about["seeds"], strict=True):
        seed.assign(value)
    with np.load(folder / "batch.npz") as arrays:
        batch = _batch(arrays)
    found = model.diagnose(batch)
    print(f"Step {about['step'] + 1} of epoch {about['epoch'] + 1}, learning rate {about['learning_rate']:.3g}")
    print(f"Files: {', '.join(about['files']) or 'not known'}\n")
    rows = [
        [task, f"{loss:.6g}", f"{about['losses'][task]:.6g}", f"{found.norms[task]:.6g}"]
        for task, loss in found.losses.items()
    ]
    print(tables.table(["task", "loss", "in the run", "gradient norm"], rows), end="\n\n")
    print(found.cause())
    return found


def _batch(arrays: Mapping[str, np.ndarray]) -> Batch:
    """Return the batch whose arrays these are, by names such as `labels/cars/boxes`.

    Raises:
        UsageError: there is none.
    """
    tree: dict[str, Any] = {"images": None, "labels": {}, "weights": {}}
    for name in arrays:
        *path, last = name.split("/")
        place = tree
        for key in path:
            place = place.setdefault(key, {})
        place[last] = arrays[name]
    if tree["images"] is None:
        raise UsageError("The batch of this step was not kept: it is of other things than arrays.")
    return Batch(**tree)
