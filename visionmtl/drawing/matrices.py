"""A matrix as a picture of coloured cells."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from visionmtl.drawing.colours import INK, NEGATIVE, PAPER, POSITIVE
from visionmtl.drawing.text import font_of

CELL = 64  # pixels
SMALLEST, LARGEST = 14, 28  # pixels of the text
CARD = 330  # pixels of width to which TensorBoard shrinks a picture, in which text of 9 can be read
LETTERS = 18  # of a name
FAINT, UNKNOWN = (173, 181, 189), (222, 226, 230)


def matrix(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str] | None = None, limit: float = 1.0
) -> np.ndarray:
    """Draw a matrix of numbers as coloured cells: blue above 0, orange below, grey where not known.

    The more columns there are, the larger is the text, so that it can be read where the picture is shown small.

    Args:
        values: `[R, C]`.
        rows: R names.
        columns: C names, written upwards; default those of the rows.
        limit: the size at which a colour is full.

    Returns:
        uint8 `[H, W, 3]`, 64 pixels a cell beside the names.
    """
    across = list(map(_cut, rows if columns is None else columns))
    down = list(map(_cut, rows))
    size = min(LARGEST, max(SMALLEST, round(9 * CELL * (len(across) + 2) / CARD)))
    font = font_of(size)
    left, top = (size + max(round(font.getlength(name)) for name in names) for names in (down, across))
    canvas = Image.new("RGB", (left + CELL * len(across), top + CELL * len(down)), PAPER)
    for place, name in enumerate(across):
        word = Image.new("RGB", (top, CELL), PAPER)
        ImageDraw.Draw(word).text((size / 2, CELL / 2), name, INK, font, anchor="lm")
        canvas.paste(word.rotate(90, expand=True), (left + CELL * place, 0))
    draw = ImageDraw.Draw(canvas)
    for row, name in enumerate(down):
        draw.text((left - size / 2, top + CELL * (row + 0.5)), name, INK, font, anchor="rm")
        for place, value in enumerate(values[row]):
            x, y = left + CELL * place, top + CELL * row
            known = np.isfinite(value)
            tone = NEGATIVE if known and value < 0 else POSITIVE
            strength = min(1.0, abs(value) / limit) if known else 0.0
            fill = tuple(round(255 + strength * (part - 255)) for part in tone) if known else UNKNOWN
            draw.rectangle((x, y, x + CELL - 2, y + CELL - 2), fill=fill)
            ink = PAPER if strength > 0.6 else INK if strength or not known else FAINT
            draw.text((x + CELL / 2 - 1, y + CELL / 2 - 1), shown(value), ink, font, anchor="mm")
    return np.asarray(canvas)


def shown(value: float) -> str:
    """Return a number as a cell has room for it.

    Example:
        >>> [shown(value) for value in (0.254, -0.03, 1.0, 12.5, 0.001, float("nan"))]
        ['.25', '-.03', '1.0', '12', '0', '?']
    """
    if not np.isfinite(value):
        return "?"
    text = f"{value:.2f}" if abs(value) < 0.995 else f"{value:.1f}" if abs(value) < 9.95 else f"{value:.0f}"
    return "0" if float(text) == 0 else text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def _cut(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
