"""Boxes with their class and score drawn on a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from visionmtl.drawing.colours import INK, Colours
from visionmtl.drawing.text import font_of, ink_on, text_size

Tag = tuple[int, int, int, int]  # left, top, right, bottom of a label


def boxes(
    image: np.ndarray,
    boxes: np.ndarray,
    classes: np.ndarray,
    colours: Colours,
    scores: np.ndarray | None = None,
) -> np.ndarray:
    """Draw boxes and, where there is room, their labels.

    Args:
        image: uint8 `[H, W, 3]`.
        boxes: `[N, 4]`, x_min, y_min, x_max, y_max in pixels of `image`; clipped to it.
        classes: int `[N]`; rows of negative class (padding, crowds) are left out.
        colours: of the classes, as from `colours`.
        scores: `[N]`, written behind the name; the most confident box lies on top.
    """
    boxes = np.clip(boxes, 0, (image.shape[1], image.shape[0]) * 2)
    shown = np.flatnonzero((np.asarray(classes) >= 0) & np.isfinite(boxes).all(axis=-1))
    if scores is not None:
        shown = shown[np.argsort(-np.asarray(scores)[shown], kind="stable")]
    if not len(shown):
        return image.copy()
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    line, font = max(1, round(min(canvas.size) / 170)), font_of(text_size(image))
    rim = max(1, line // 4)
    named = [(name, colour or INK) for name, colour in colours.items()]
    for index in shown[::-1]:
        x0, y0, x1, y1 = (round(float(edge)) for edge in boxes[index])
        x1, y1 = max(x0, x1 - 1), max(y0, y1 - 1)
        if line > 1:  # a dark rim keeps the line apart from a mask of the same colour
            draw.rectangle((x0 - rim, y0 - rim, x1 + rim, y1 + rim), outline=INK, width=line + 2 * rim)
        draw.rectangle((x0, y0, x1, y1), outline=named[classes[index]][1], width=line)
    taken: list[Tag] = []
    for index in shown:
        name, colour = named[classes[index]]
        text = name if scores is None else f"{name} {scores[index]:.2f}"
        others = boxes[shown[shown != index]]
        tag = _room_for_tag(draw, font, text, boxes[index], canvas.size, taken, others)
        if tag:
            taken.append(tag)
            draw.rectangle(tag, fill=colour)
            draw.text(((tag[0] + tag[2] + 1) / 2, (tag[1] + tag[3] + 1) / 2), text, ink_on(colour), font, anchor="mm")
    return np.asarray(canvas)


def hatched(image: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Hatch regions `[N, 4]` of an image, uint8 `[H, W, 3]`: they have no class in whose colour to draw them."""
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    inside = np.zeros(image.shape[:2], bool)
    for x_min, y_min, x_max, y_max in regions:
        inside |= (x >= x_min) & (x < x_max) & (y >= y_min) & (y < y_max)
    stripes = (x + y) % 12
    striped = np.where((inside & (stripes < 2))[..., None], 255, image)
    return np.where((inside & ((stripes == 2) | (stripes == 11)))[..., None], 0, striped).astype(np.uint8)


def _room_for_tag(
    draw: ImageDraw.ImageDraw,
    font: Any,
    text: str,
    box: np.ndarray,
    size: tuple[int, int],
    taken: Sequence[Tag],
    others: np.ndarray,
) -> Tag | None:
    """Find a place for a label above, inside or below its box that covers no other label; None if there is none.

    One that lies on no other box, `others` `[N, 4]`, comes first, but for those that cover half of its own: a label on
    a box is read as the name of that.
    """
    pad = max(1, font.size // 5)
    width = round(draw.textlength(text, font)) + 2 * pad
    height = round(font.size * 1.1) + pad
    left, top, right, bottom = (round(float(edge)) for edge in box)
    most = max(0, size[0] - width)
    across = dict.fromkeys(int(np.clip(x, 0, most)) for x in (left, right - width))
    free = []
    for x in across:
        for y in (top - height, top, bottom, bottom - height):
            place = (x, y, x + width - 1, y + height - 1)
            if y >= 0 and y + height <= size[1] and not any(_meet(place, other) for other in taken):
                free.append(place)
    sides = np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2])
    covered = np.maximum(sides, 0).prod(axis=-1) > np.prod(box[2:] - box[:2]) / 2
    beside = others[~covered].tolist()
    alone = (place for place in free if not any(_meet(place, other) for other in beside))
    return next(alone, free[0] if free else None)


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
