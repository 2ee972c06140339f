"""What is said of a picture in JSON, as `visionmtl predict` says it; masks and depth as files in base64."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipelines.pixels import png
from visionmtl.serving import rows
from visionmtl.serving.runtimes.runtime import Labels

Arrays = Mapping[str, np.ndarray]
PNG, NPY = "image/png", "application/x-npy"
BYTE = 256  # classes that a mask of 8 bits tells apart
DIGITS = 4


def record(outputs: Arrays, row: int, labels: Labels) -> dict[str, Any]:
    """Return what is said of a picture.

    Args:
        outputs: of `serving_bytes`.
        row: of the picture.
        labels: of the version that answered.

    Returns:
        Of a picture that cannot be read its `error`; else `width`, `height`, `predictions` and `objects` by task.
    """
    if error := outputs[rows.ERRORS][row]:
        return {"error": error}
    height, width = map(int, outputs[rows.SIZES][row])
    said: dict[str, Any] = {"width": width, "height": height, "predictions": {}, "objects": {}}
    for task, told in labels.items():
        start = f"{task}_"
        own = {name.removeprefix(start): outputs[name][row] for name in outputs if name.startswith(start)}
        classes = told["classes"]
        if "boxes" in own:
            said["objects"][task] = _objects(own, classes)
        elif "probabilities" in own:
            said["predictions"][task] = _probabilities(own["probabilities"], classes)
        else:
            values = {name: _value(each, (height, width), classes) for name, each in own.items()}
            said["predictions"][task] = next(iter(values.values())) if len(values) == 1 else values
    return said


def _objects(found: Arrays, classes: Sequence[str]) -> list[dict[str, Any]]:
    real = np.flatnonzero(found["classes"] >= 0)
    return [
        {
            "class": _named(int(found["classes"][place]), classes),
            "bbox": _box(*found["boxes"][place].tolist()),
            "score": round(float(found["scores"][place]), DIGITS),
        }
        for place in real
    ]


def _box(left: float, top: float, right: float, bottom: float) -> list[float]:
    return [round(each, 2) for each in (left, top, right - left, bottom - top)]


def _probabilities(values: np.ndarray, classes: Sequence[str]) -> dict[str, float]:
    return {_named(place, classes): round(value, DIGITS + 1) for place, value in enumerate(values.tolist())}


def _named(number: int, classes: Sequence[str]) -> str:
    return classes[number] if number < len(classes) else str(number)


def _value(values: np.ndarray, size: tuple[int, int], classes: Sequence[str]) -> Any:
    """Return a map of a picture as a file, and anything else as numbers."""
    if values.ndim < 2 or values.shape[:2] < size:
        return values.tolist()
    values = values[: size[0], : size[1]]
    if np.issubdtype(values.dtype, np.integer) and len(classes) < BYTE:
        return _file(png.quick(values.astype(np.uint8)), PNG)
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(values))
    return _file(file.getvalue(), NPY)


def _file(content: bytes, kind: str) -> dict[str, str]:
    return {"b64": base64.b64encode(content).decode(), "media_type": kind}
