"""Where the label of each box stands: beside its box, over no other label, and in films where it stood before."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from visionmtl.drawing.colours import Colours
from visionmtl.drawing.text import font_of

Place = tuple[int, int, int, int]  # left, top, right, bottom of a label
ABOVE, INSIDE_ABOVE, BELOW, INSIDE_BELOW = range(4)  # flush with the left of the box; as many more with its right


class Tag(NamedTuple):
    """The label of a box.

    Attributes:
        side: of the box, 0 to 7: see `ABOVE`.
        place: in pixels.
    """

    side: int
    place: Place


def texts(classes: np.ndarray, colours: Colours, scores: np.ndarray | None) -> list[str]:
    """Return what the labels of boxes say: the name of the class, and the score where there are some."""
    names = [*colours]
    if scores is None:
        return [names[each] for each in classes]
    return [f"{names[each]} {score:.2f}" for each, score in zip(classes, scores, strict=True)]


def placed(
    boxes: np.ndarray, texts: Sequence[str], picture: tuple[int, int], size: int, before: np.ndarray | None = None
) -> list[Tag | None]:
    """Find a place for the label of each box that covers no other label; None where there is none.

    One that lies on no other box, but for those that cover half of its own, comes first: a label on a box is read as
    the name of that. In a film a label stays on its side while that is as good as any other.

    Args:
        boxes: `[N, 4]`, the most important first.
        texts: of their labels.
        picture: its width and height.
        size: of the text in pixels.
        before: the side on which each label stood in the frame before, `[N]`; -1 of one that is new.
    """
    made: list[Tag | None] = [None] * len(boxes)
    taken = list[Place]()
    sides = np.full(len(boxes), -1) if before is None else before
    for row in np.argsort(sides < 0, kind="stable"):
        free = [tag for tag in _places(boxes[row], texts[row], picture, size) if not _meets(tag, taken)]
        free.sort(key=lambda tag: tag.side != sides[row])
        beside = _beside(boxes[row], np.delete(boxes, row, axis=0))
        alone = (tag for tag in free if not _meets(tag, beside))
        made[row] = tag = next(alone, free[0] if free else None)
        if tag:
            taken.append(tag.place)
    return made


def _places(box: np.ndarray, text: str, picture: tuple[int, int], size: int) -> Iterator[Tag]:
    """Yield the places that are within a picture."""
    pad, font = max(1, size // 5), font_of(size)
    width, height = round(font.getlength(text)) + 2 * pad, round(size * 1.1) + pad
    left, top, right, bottom = (round(float(edge)) for edge in box)
    for across, x in enumerate((left, right - width)):
        x = int(np.clip(x, 0, max(0, picture[0] - width)))
        for down, y in enumerate((top - height, top, bottom, bottom - height)):
            if y >= 0 and y + height <= picture[1]:
                yield Tag(4 * across + down, (x, y, x + width - 1, y + height - 1))


def _beside(box: np.ndarray, others: np.ndarray) -> list[Any]:
    """Return those of other boxes that do not cover half of one."""
    sides = np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2])
    return others[np.maximum(sides, 0).prod(axis=-1) <= np.prod(box[2:] - box[:2]) / 2].tolist()


def _meets(tag: Tag, others: Sequence[Sequence[float]]) -> bool:
    left, top, right, bottom = tag.place
    return any(left <= x1 and x0 <= right and top <= y1 and y0 <= bottom for x0, y0, x1, y1 in others)
