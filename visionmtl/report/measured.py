"""What was measured of a split beyond its figures: curves and confusions, kept in a run's `charts/<split>.npz`."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from visionmtl.files import written_whole

FOLDER, KIND, CLASSES = "charts", "kind", "classes"


class Measured(NamedTuple):
    """Of one task.

    Attributes:
        kind: of the task, as "detection".
        classes: C names.
        charts: what `Task.charts` returned.
    """

    kind: str
    classes: Sequence[str]
    charts: Mapping[str, np.ndarray]


def keep(run: Path, split: str, tasks: Mapping[str, Measured]) -> Path:
    """Write what was measured of a split's tasks, whole or not at all, and return the file."""
    arrays: dict[str, Any] = {f"{task}/{CLASSES}": np.array(of.classes, np.str_) for task, of in tasks.items()}
    arrays |= {f"{task}/{KIND}": np.array(of.kind) for task, of in tasks.items()}
    arrays |= {f"{task}/{name}": array for task, of in tasks.items() for name, array in of.charts.items()}
    with written_whole(run / FOLDER / f"{split}.npz") as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return run / FOLDER / f"{split}.npz"


def read(run: Path) -> dict[str, dict[str, Measured]]:
    """Return what a run folder holds, by split and task, validation first; a file that was cut or changed is told."""
    found: dict[str, dict[str, Measured]] = {}
    paths = sorted((run / FOLDER).glob("*.npz"), key=lambda path: (path.stem != "validation", path.name))
    for path in paths:
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (ValueError, OSError, EOFError, zipfile.BadZipFile):
            print(f"'{path}' was cut or changed: what was measured of its split is left out.")
            continue
        tasks = [name.removesuffix(f"/{CLASSES}") for name in arrays if name.endswith(f"/{CLASSES}")]
        found[path.name.removesuffix(".npz")] = {
            task: Measured(
                str(arrays[f"{task}/{KIND}"]),
                [str(name) for name in arrays[f"{task}/{CLASSES}"]],
                {
                    name.removeprefix(f"{task}/"): array
                    for name, array in arrays.items()
                    if name.rpartition("/")[0] == task and name not in (f"{task}/{KIND}", f"{task}/{CLASSES}")
                },
            )
            for task in tasks
        }
    return found
