"""Sheets of pictures with what is known of them drawn onto each, and the colours explained below."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from visionmtl.drawing.colours import Colours
from visionmtl.drawing.overlays import overlay
from visionmtl.drawing.strips import side_by_side
from visionmtl.drawing.text import legend


def labelled(
    image: np.ndarray, tasks: Sequence[Any], labels: Mapping[str, Any], weights: Mapping[str, float]
) -> np.ndarray:
    """Draw the labels of a picture onto it, those of tasks for which it is labelled.

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
    return overlay(image, tasks, known, truth=True)


def rows(tiles: Sequence[tuple[np.ndarray, str]], columns: int) -> list[np.ndarray]:
    """Set pictures of one size with what is written above them in rows of one width."""
    made = []
    for start in range(0, len(tiles), columns):
        row = list(tiles[start : start + columns])
        row += [(np.full_like(row[0][0], 255), "")] * (columns - len(row))
        made.append(side_by_side([tile for tile, _ in row], [_short(name) for _, name in row]))
    return made


def line(colours: Colours, width: int, title: str) -> np.ndarray:
    """Return the colours of classes explained below a sheet of this width."""
    return np.pad(legend(colours, width - 16, title=title), ((6, 6), (8, 8), (0, 0)), constant_values=255)


def _short(name: str, length: int = 46) -> str:
    return name if len(name) <= length else f"{name[: length // 2]}...{name[-length // 2 + 3 :]}"
