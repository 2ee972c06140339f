"""What predictions were made with, kept beside them: others are never mixed into them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from visionmtl import __version__, tasks
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.model import MultiTaskModel
from visionmtl.prediction.wanted import Wanted

SETTINGS, LABELS = "predict.json", "labels.json"  # by which a folder of predictions is known: `accounts.rules` has them
WORDS = {
    "model": "another model",
    "pictures": "other pictures",
    "resize": "another resize",
    "confidences": "other confidences",
    "overlays": "other overlays",
    "format": "another format",
    "tta": "other views",
    "smooth": "boxes that are smoothed otherwise",
    "maps": "other files of each frame",
    "version": "another version of visionmtl",
}


def of(model: MultiTaskModel, wanted: Wanted, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that decides what is written.

    Args:
        model: that predicts; its weights are taken together in one sum.
        wanted: the pictures; so are their names and ids.
        options: the rest, by name.
    """
    weights = hashlib.sha256()
    for weight in model.weights:
        weights.update(np.ascontiguousarray(weight).tobytes())
    weights.update(json.dumps(tasks.described(model.tasks)).encode())
    return together(weights.hexdigest(), wanted, options)


def together(model: str, wanted: Wanted, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of a model that is known by a sum of all that it is."""
    pictures = hashlib.sha256()
    for file, name, number in zip(wanted.files, wanted.names, wanted.ids.images, strict=True):
        pictures.update(f"{file}\0{name}\0{number}\n".encode(errors="surrogateescape"))
    return {
        "version": __version__,
        "model": model,
        "pictures": pictures.hexdigest(),
        "count": len(wanted.files),
        "split": wanted.split,
        **options,
    }


def begin(folder: Path, settings: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
    """Write what is predicted with into a new folder of predictions."""
    write_text(folder / LABELS, json.dumps(labels, indent=2) + "\n")
    write_text(folder / SETTINGS, json.dumps(settings, indent=2) + "\n")


def read(folder: Path) -> dict[str, Any] | None:
    """Return what the predictions in a folder were made with; None where there are none.

    Raises:
        UsageError: it cannot be read.
    """
    path = folder / SETTINGS
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UsageError(f"'{path}' was cut or changed, and says nothing of the predictions: begin anew by --replace.")
    return content


def refuse_others(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with predictions that were made with something else.

    Raises:
        UsageError: they were; the message says with what.
    """
    differ = [words for key, words in WORDS.items() if before.get(key) != now.get(key)]
    if differ:
        raise UsageError(
            f"'{folder}' holds predictions of {' and '.join(differ)}: name another folder by --out, or begin anew by "
            "--replace."
        )
