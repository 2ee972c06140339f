"""Small pictures kept for a page, in a folder of a run: a JPEG each, and an index of what stands under them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from visionmtl.files import written_whole

QUALITY = 88


class Picture(NamedTuple):
    """One picture on a page.

    Attributes:
        path: of the file.
        told: what stands under it.
    """

    path: Path
    told: str


def keep(path: Path, picture: np.ndarray, told: str) -> dict[str, str]:
    """Write a picture, uint8 `[H, W, 3]`, and return its row of the index."""
    with written_whole(path, durable=False) as unfinished:
        Image.fromarray(picture).save(unfinished, "JPEG", quality=QUALITY)
    return {"file": path.name, "told": told}


def read(folder: Path, rows: Sequence[Any]) -> list[Picture]:
    """Return the pictures that rows of an index name, without those that are no such rows."""
    return [
        Picture(folder / Path(row["file"]).name, str(row["told"]))
        for row in rows
        if isinstance(row, Mapping) and {"file", "told"} <= {*row}
    ]


def index(path: Path) -> Any:
    """Return what an index holds; nothing where it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def parts(content: Any, kind: type = dict) -> list[tuple[str, Any]]:
    """Return the entries of a dictionary that are of a kind; none where it is no dictionary."""
    return (
        [(str(key), value) for key, value in content.items() if isinstance(value, kind)]
        if isinstance(content, dict)
        else []
    )


def colours(legend: Any) -> dict[str, str]:
    """Return the colours of an index as CSS has them: "#e69f00"."""
    return {name: "#{:02x}{:02x}{:02x}".format(*colour) for name, colour in parts(legend, list)}
