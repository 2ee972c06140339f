"""Words under a picture: notes, a legend."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from visionmtl.drawing.colours import INK, PAPER, Colours


def note(lines: Sequence[str], width: int, size: int = 13) -> np.ndarray:
    """Return lines of text on white, uint8 `[h, width, 3]`, wrapped to the width; `[0, width, 3]` of none.

    Args:
        lines: of which none is empty.
        width: in pixels.
        size: of the text in pixels.
    """
    font, row = font_of(size), round(size * 1.7)
    rows = [each for line in lines for each in wrapped(line, width, size)]
    canvas = Image.new("RGB", (width, row * len(rows)), PAPER)
    draw = ImageDraw.Draw(canvas)
    for place, text in enumerate(rows):
        draw.text((0, row * (place + 0.5)), text, INK, font, anchor="lm")
    return np.asarray(canvas).reshape(-1, width, 3)


def wrapped(text: str, width: int, size: int) -> list[str]:
    """Return a text in rows of a width in pixels; a word that is longer has one of its own."""
    font, rows = font_of(size), [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        rows = [*rows[:-1], longer] if not rows[-1] or font.getlength(longer) <= width else [*rows, word]
    return rows


def cut(text: str, width: int, size: int) -> str:
    """Return as much of a text as a width in pixels has room for, with "…" where that is not all.

    Example:
        >>> cut("scene: street 91%", 90, 13), cut("scene: street 91%", 200, 13)
        ('scene: street…', 'scene: street 91%')
    """
    font, shown = font_of(size), text
    while shown and font.getlength(text if shown == text else f"{shown}…") > width:
        shown = shown[:-1].rstrip()
    return text if shown == text else f"{shown}…"


def legend(colours: Colours, width: int, size: int = 13, title: str = "") -> np.ndarray:
    """Return a white legend of the classes' colours, uint8 `[h, width, 3]`, in as many rows as it takes.

    Args:
        colours: of the classes, as from `colours`.
        width: of the legend in pixels.
        size: of the text in pixels.
        title: written in front.
    """
    font, gap, row = font_of(size), size, round(size * 1.7)
    places: list[tuple[float, int]] = []
    x, y = (font.getlength(title) + gap if title else 0.0), 0
    coloured = [(name, colour) for name, colour in colours.items() if colour]
    for name, _ in coloured:
        room = size * 1.4 + font.getlength(name)
        if x and x + room > width:
            x, y = 0.0, y + row
        places.append((x, y))
        x += room + gap
    canvas = Image.new("RGB", (width, y + row), PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.text((0, row / 2), title, INK, font, anchor="lm")
    for (name, colour), (x, y) in zip(coloured, places, strict=True):
        middle = y + row / 2
        draw.rounded_rectangle((x, middle - size / 2, x + size, middle + size / 2), size / 5, colour)
        draw.text((x + size * 1.4, middle), name, INK, font, anchor="lm")
    return np.asarray(canvas)


@functools.cache
def font_of(size: int) -> Any:
    """Return the font of all drawings at a size in pixels, loaded once."""
    return ImageFont.load_default(size)


def text_size(image: np.ndarray) -> int:
    """Return the size in pixels at which words on an image `[H, W, 3]` can be read and hide little of it."""
    return size_at(image.shape[:2])


def size_at(shape: Sequence[int]) -> int:
    """Return the same for a height and width."""
    return max(9, round(min(shape) / 27))


def ink_on(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return dark or light, whichever reads better on `colour`."""
    return INK if np.dot(colour, (0.299, 0.587, 0.114)) > 125 else PAPER
