"""Sheets of pictures with what is known of them drawn onto each, and the colours explained below."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from visionmtl.drawing.colours import Colours
from visionmtl.drawing.overlays import overlay, words
from visionmtl.drawing.strips import side_by_side
from visionmtl.drawing.text import legend


def labelled(
    image: np.ndarray, tasks: Sequence[Any], labels: Mapping[str, Any], weights: Mapping[str, float]
) -> tuple[np.ndarray, list[str]]:
    """Draw the labels of a picture onto it, those of tasks for which it is labelled; return it, and what is in words.

    Args:
        image: uint8 `[H, W, 3]`.
        tasks: in the order in which they are drawn over each other.
        labels: by task, as in a batch of one.
        weights: by task, 0 where the picture is not labelled.
    """
    known = {
        task.name: {key: np.asarray(value)[0] for key, value in task.truth(labels[task.name]).items()}
        for task in tasks
        if weights.get(task.name, 0) > 0
    }
    return overlay(image, tasks, known, truth=True), words(tasks, known)


def rows(tiles: Sequence[tuple[np.ndarray, str, Sequence[str]]], columns: int) -> list[np.ndarray]:
    """Set pictures of one size, with what is written above them and the lines below them, in rows of one width."""
    made = []
    for start in range(0, len(tiles), columns):
        row = list(tiles[start : start + columns])
        row += [(np.full_like(row[0][0], 255), "", ())] * (columns - len(row))
        pictures, names, notes = zip(*row, strict=True)
        made.append(side_by_side(pictures, list(map(_short, names)), notes=notes))
    return made


def line(colours: Colours, width: int, title: str) -> np.ndarray:
    """Return the colours of classes explained below a sheet of this width."""
    return np.pad(legend(colours, width - 16, title=title), ((6, 6), (8, 8), (0, 0)), constant_values=255)


def _short(name: str, length: int = 46) -> str:
    return name if len(name) <= length else f"{name[: length // 2]}...{name[-length // 2 + 3 :]}"
