"""All tasks' predictions, or the truth, drawn over one picture, and the key of its colours below."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from visionmtl.drawing.colours import PAPER, Colours
from visionmtl.drawing.text import font_of, legend, note, text_size

Found = Mapping[str, Mapping[str, np.ndarray]]  # predictions of one picture, by task


def drawing_order(tasks: Iterable[Any]) -> list[Any]:
    """Return tasks in the order in which to draw them over each other."""
    return sorted(tasks, key=lambda task: task.drawn_at)


def overlay(image: np.ndarray, tasks: Iterable[Any], found: Found, truth: bool = False) -> np.ndarray:
    """Draw what is known of a picture over it; what tasks say in words is `words`, to be set below.

    Args:
        image: uint8 `[H, W, 3]`.
        tasks: in the order in which they are drawn over each other.
        found: of the tasks that know something of it.
        truth: whether it is the truth, in the form of `Task.truth`, of which all is drawn.
    """
    for task in tasks:
        if task.name in found and not task.words(found[task.name]):
            draw = task.draw_truth if truth else task.draw
            image = draw(image, found[task.name])
    return image


def words(tasks: Iterable[Any], found: Found) -> list[str]:
    """Return what tasks say of a picture in words, a line each, named."""
    told = ((task.name, task.words(found[task.name])) for task in tasks if task.name in found)
    return [f"{name}: {text}" for name, text in told if text]


def keyed(image: np.ndarray, legends: Mapping[str, Colours], words: Sequence[str] = ()) -> np.ndarray:
    """Set what is said in words, and the key of colours, below a picture, on white; widened where a name needs it.

    Args:
        image: uint8 `[H, W, 3]`.
        legends: the classes that are explained, by the task that speaks.
        words: as from `words`; without any, and without legends, the picture stays as it is.
    """
    keys = key(image.shape[1], text_size(image), legends, words)
    return below(image, keys) if len(keys) else image


def below(image: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Set a key, uint8 `[h, w, 3]`, below a picture that is no wider."""
    return np.concatenate([widened(image, keys.shape[1]), keys])


def widened(image: np.ndarray, width: int) -> np.ndarray:
    """Return a picture with white on its right, up to a width."""
    return np.pad(image, ((0, 0), (0, width - image.shape[1]), (0, 0)), constant_values=PAPER[0])


def key(width: int, size: int, legends: Mapping[str, Colours], words: Sequence[str] = ()) -> np.ndarray:
    """Return what stands below a picture, uint8 `[h, w, 3]`, as wide as asked for, or as the longest name.

    Args:
        width: in pixels.
        size: of its text in pixels.
        legends: colours of classes, by the task that speaks.
        words: lines above them. Without any of both it is `[0, w, 3]`.
    """
    pad, font = size // 2, font_of(size)
    names = [*legends, *(name for colours in legends.values() for name in colours)]
    longest = max((font.getlength(word) for line in words for word in line.split()), default=0)
    width = max([width, round(longest) + 2 * pad, *(round(font.getlength(name)) + 3 * size for name in names)])
    inside = width - 2 * pad
    rows = [note(words, inside, size), *(legend(colours, inside, size, title) for title, colours in legends.items())]
    return np.pad(np.concatenate(rows), ((0, 0), (pad, pad), (0, 0)), constant_values=PAPER[0])


def shown(task: Any, found: Mapping[str, np.ndarray]) -> Colours:
    """Return of a task's legend the classes that are in a picture, in their order; the whole of one without a map."""
    ids = found.get("classes")
    if ids is None or ids.ndim != 2:
        return task.legend
    there = set(np.unique(ids).tolist())
    return {name: colour for place, (name, colour) in enumerate(task.legend.items()) if place in there}
