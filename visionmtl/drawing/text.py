"""Words on and under a picture: a caption, a legend."""

import functools
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from visionmtl.drawing.colours import INK, PAPER, Colours


def caption(image: np.ndarray, text: str) -> np.ndarray:
    """Write lines of text, wrapped to the width, into the lower left corner of an image on a dark veil.

    Args:
        image: uint8 `[H, W, 3]`.
        text: lines.
    """
    (height, width), size = image.shape[:2], text_size(image)
    font, pad, spacing = font_of(size), size // 3, size // 4
    lines = list[str]()
    for line in text.splitlines():
        lines.append("")
        for word in line.split():
            longer = f"{lines[-1]} {word}".strip()
            lines = [*lines[:-1], longer] if font.getlength(longer) <= width - 2 * pad else [*lines, word]
    text, written = "\n".join(filter(None, lines)), image.copy()
    if not text:
        return written
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    _, _, right, bottom = measure.multiline_textbbox((0, 0), text, font, spacing=spacing)
    top = max(0, height - round(bottom) - 2 * pad)
    strip = Image.fromarray(written[top:])  # the rest of a picture takes longer to hand to and fro than to write on
    veil = Image.new("L", strip.size, 0)
    ImageDraw.Draw(veil).rectangle((0, 0, round(right) + 2 * pad, height), fill=170)
    strip.paste(INK, (0, 0), veil)
    ImageDraw.Draw(strip).multiline_text((pad, pad), text, PAPER, font, spacing=spacing)
    written[top:] = np.asarray(strip)
    return written


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
    return max(9, round(min(image.shape[:2]) / 27))


def ink_on(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return dark or light, whichever reads better on `colour`."""
    return INK if np.dot(colour, (0.299, 0.587, 0.114)) > 125 else PAPER
