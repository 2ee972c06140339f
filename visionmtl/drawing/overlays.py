"""All tasks' predictions, or the truth, drawn over one picture, and the key of its colours below."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from visionmtl.drawing.colours import PAPER, Colours
from visionmtl.drawing.text import caption, font_of, legend, text_size

Found = Mapping[str, Mapping[str, np.ndarray]]  # predictions of one picture, by task


def drawing_order(tasks: Iterable[Any]) -> list[Any]:
    """Return tasks in the order in which to draw them over each other."""
    return sorted(tasks, key=lambda task: task.drawn_at)


def overlay(image: np.ndarray, tasks: Iterable[Any], found: Found, truth: bool = False) -> np.ndarray:
    """Draw what is known of a picture over it; what tasks say in words stands in a corner, a line each, named.

    Args:
        image: uint8 `[H, W, 3]`.
        tasks: in the order in which they are drawn over each other.
        found: of the tasks that know something of it.
        truth: whether it is the truth, in the form of `Task.truth`, of which all is drawn.
    """
    lines = []
    for task in tasks:
        if task.name not in found:
            continue
        if words := task.words(found[task.name]):
            lines.append(f"{task.name}: {words}")
        elif truth:
            image = task.draw_truth(image, found[task.name])
        else:
            image = task.draw(image, found[task.name])
    return caption(image, "\n".join(lines)) if lines else image


def keyed(image: np.ndarray, legends: Mapping[str, Colours], height: int | None = None) -> np.ndarray:
    """Set the key of colours below a picture, on white, which is widened where a name takes more.

    Args:
        image: uint8 `[H, W, 3]`.
        legends: the classes that are explained, by the task that speaks; without any, the picture stays as it is.
        height: of the key in pixels, for pictures that are to have one size; None for what it takes.
    """
    keys = key(image.shape[1], text_size(image), legends)
    tall = keys.shape[0] if height is None else height
    if not tall:
        return image
    made = np.full((image.shape[0] + tall, max(image.shape[1], keys.shape[1]), 3), PAPER, np.uint8)
    made[: image.shape[0], : image.shape[1]] = image
    made[image.shape[0] : image.shape[0] + keys.shape[0], : keys.shape[1]] = keys[:tall]
    return made


def key(width: int, size: int, legends: Mapping[str, Colours]) -> np.ndarray:
    """Return the key of colours, uint8 `[h, w, 3]`, as wide as asked for, or as the longest name; `[0, w, 3]` of none.

    Args:
        width: in pixels.
        size: of its text in pixels.
        legends: colours of classes, by the task that speaks.
    """
    pad, font = size // 2, font_of(size)
    names = [*legends, *(name for colours in legends.values() for name in colours)]
    width = max([width, *(round(font.getlength(name)) + 3 * size for name in names)])
    rows = [np.zeros((0, width, 3), np.uint8)]
    for title, colours in legends.items():
        row = legend(colours, width - 2 * pad, size, title)
        rows.append(np.pad(row, ((0, 0), (pad, pad), (0, 0)), constant_values=PAPER[0]))
    return np.concatenate(rows)


def shown(task: Any, found: Mapping[str, np.ndarray]) -> Colours:
    """Return of a task's legend the classes that are in a picture, in their order; the whole of one without a map."""
    ids = found.get("classes")
    if ids is None or ids.ndim != 2:
        return task.legend
    there = set(np.unique(ids).tolist())
    return {name: colour for place, (name, colour) in enumerate(task.legend.items()) if place in there}
