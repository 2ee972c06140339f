"""What a work has come to, from its files: variables, rows, curves; whether each file is whole, and what differs."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from pipelines.files import is_partial
from visionmtl import csvfile, known_by, recipe
from visionmtl.checkpoints import container
from visionmtl.comparison.compare import asking


def differences(whole: Mapping[str, Any], end: Mapping[str, Any]) -> list[str]:
    """Return the names of what differs, in one bit or more."""
    return [
        name
        for name in sorted(whole.keys() | end.keys())
        if name not in whole or name not in end or not _same(whole[name], end[name])
    ]


def weights(path: Path) -> dict[str, np.ndarray]:
    """Return every variable of a `.keras` file, those of its optimizer and metrics too, by its place in the file."""
    found: dict[str, np.ndarray] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = np.array(item)

    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as file, h5py.File(file) as content:
        content.visititems(visit)
    return found


def names(run: Path) -> Sequence[str]:
    """The names of a run's files; those of events hold the time, checkpoints depend on the disk's pace."""
    names = (str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())
    return sorted(name for name in names if "tfevents" not in name and not name.startswith("checkpoints"))


def curves(folder: Path) -> dict[str, Any]:
    """What TensorBoard shows of one of its runs: by curve and step the value, or the pictures."""
    events = EventAccumulator(str(folder), {"tensors": 0}).Reload()
    points = {tag: events.Tensors(tag) for tag in events.Tags()["tensors"]}
    # A point that a killed session wrote after its checkpoint, at the very step of it, is written again: it is one.
    seen = {tag: [(point.step, point.tensor_proto.SerializeToString()) for point in points[tag]] for tag in points}
    return {tag: list(dict.fromkeys(of_tag)) for tag, of_tag in seen.items()}


def broken(path: Path) -> str | None:
    """Return why a file has no whole content; None where it has, or is the unfinished one of a writer."""
    if any(is_partial(name) for name in path.parts):
        return None
    try:
        match path.suffix:
            case ".keras":
                with zipfile.ZipFile(path) as archive:
                    return archive.testzip()
            case ".ckpt":
                container.read(path)
            case ".json":
                json.loads(path.read_text(encoding="utf-8"))
            case ".csv":
                rows = csvfile.read(path)
                cut = any(None in row or None in row.values() for row in rows) or not path.read_bytes().endswith(b"\n")
                return "a row is cut" if cut else None
            case ".png":
                with Image.open(path) as picture:
                    picture.load()
            case ".yaml":
                asking.read(path.parent) if path.name == known_by.COMPARISON else recipe.load(path)
            case ".html":
                return None if "</html>" in path.read_text(encoding="utf-8") else "cut"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return bool(one == other)
