"""`signature.json`: what goes into each format of an export and what comes out, and what the numbers mean."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visionmtl.export.format import Format, Signature, Tensor
from visionmtl.model import MultiTaskModel
from visionmtl.tasks import Meaning

SIGNATURE = "signature.json"
AXES = ("batch", "height", "width")  # of what is of no fixed size, by its place
LEVEL = Meaning("feature", "what the heads of {whose} read of the network's input, at a stride of {stride} pixels")
MEANINGS = {
    "images": Meaning("0 to 255", "pictures of one size, RGB, turned upright, row by row from the top left corner"),
    "encoded": Meaning("bytes", "picture files: JPEG, PNG, WebP or BMP, each of a size of its own"),
    "confidence": Meaning("0 to 1", "of each picture the least score of an object, in place of those of labels.json"),
    "image_sizes": Meaning("pixels", "height and width of each picture, upright; 0 for one that cannot be read"),
    "errors": Meaning("text", "why a picture cannot be read; empty where it can, else nothing is said of it"),
    "windows": Meaning("fraction", "y0, x0, y1, x1 of each picture within the network's input"),
}
OF_CLASSES = Meaning("0 to 1", "of each class the least score of an object, in place of those of labels.json")


def write(model: MultiTaskModel, folder: Path, formats: Mapping[str, Format]) -> None:
    """Write `signature.json`: by format and signature, its inputs and outputs.

    Args:
        model: that was exported.
        folder: where to.
        formats: in which, by what they are called; they are written already.
    """
    said = {
        label: {"file": made.file, "signatures": _signatures(model, made.signatures(folder))}
        for label, made in formats.items()
    }
    (folder / SIGNATURE).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def _signatures(model: MultiTaskModel, signatures: Mapping[str, Signature]) -> dict[str, Any]:
    return {
        name: {
            "inputs": [_said(model, each) | {"optional": each.name in own.optional} for each in own.inputs],
            "outputs": [_said(model, each) for each in own.outputs],
        }
        for name, own in signatures.items()
    }


def _said(model: MultiTaskModel, tensor: Tensor) -> dict[str, Any]:
    shape = [AXES[place] if size < 0 else size for place, size in enumerate(tensor.shape)]
    meaning = meaning_of(model, tensor.name)
    return {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": shape,
        "unit": meaning.unit,
        "meaning": meaning.text,
    }


def meaning_of(model: MultiTaskModel, name: str) -> Meaning:
    """Return what an input or output of this name means."""
    if name in MEANINGS:
        return MEANINGS[name]
    for task in sorted(model.tasks, key=len, reverse=True):  # one's name may begin another's
        key = name.removeprefix(f"{task}_")
        if key == name:
            continue
        if key == "confidence":
            return OF_CLASSES
        if name in model.features.named():
            return _of_level(key, f"task {task}")
        if key in model.tasks[task].meanings:
            return model.tasks[task].meanings[key]
        return Meaning("", f"'{key}' of task {task}, a {type(model.tasks[task]).__name__} that says no more of it")
    return _of_level(name, "all tasks")


def _of_level(level: str, whose: str) -> Meaning:
    if not re.fullmatch(r"P\d+", level):
        return Meaning("", f"'{level}', of which no more is said")
    return Meaning(LEVEL.unit, LEVEL.text.format(whose=whose, stride=2 ** int(level[1:])))
