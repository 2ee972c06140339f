"""Boxes with their class and score drawn on a picture."""

import numpy as np
from PIL import Image, ImageDraw

from visionmtl.drawing import tags
from visionmtl.drawing.colours import INK, Colours
from visionmtl.drawing.text import font_of, ink_on, text_size


def boxes(
    image: np.ndarray,
    boxes: np.ndarray,
    classes: np.ndarray,
    colours: Colours,
    scores: np.ndarray | None = None,
    sides: np.ndarray | None = None,
) -> np.ndarray:
    """Draw boxes and, where there is room, their labels.

    Args:
        image: uint8 `[H, W, 3]`.
        boxes: `[N, 4]`, x_min, y_min, x_max, y_max in pixels of `image`; clipped to it.
        classes: int `[N]`; rows of negative class (padding, crowds) are left out.
        colours: of the classes, as from `colours`.
        scores: `[N]`, written behind the name; the most confident box lies on top.
        sides: `[N]`, where labels stand unless they do not fit there, as `tags.placed` has them.
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
    words = tags.texts(np.asarray(classes)[shown], colours, None if scores is None else np.asarray(scores)[shown])
    before = None if sides is None else sides[shown]
    for index, text, tag in zip(
        shown, words, tags.placed(boxes[shown], words, canvas.size, font.size, before), strict=True
    ):
        if tag:
            left, top, right, bottom = tag.place
            _, colour = named[classes[index]]
            draw.rectangle(tag.place, fill=colour)
            draw.text(((left + right + 1) / 2, (top + bottom + 1) / 2), text, ink_on(colour), font, anchor="mm")
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
