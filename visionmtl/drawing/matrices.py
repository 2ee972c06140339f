"""A matrix as a picture of coloured cells."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from visionmtl.drawing.colours import INK, NEGATIVE, PAPER, POSITIVE
from visionmtl.drawing.text import font_of


def matrix(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str] | None = None, limit: float = 1.0
) -> np.ndarray:
    """Draw a matrix of numbers as coloured cells: blue above 0, orange below, grey where not known.

    Args:
        values: `[R, C]`.
        rows: R names.
        columns: C names; default those of the rows.
        limit: the size at which a colour is full.

    Returns:
        uint8 `[H, W, 3]`, 64 pixels a cell beside the names.
    """
    cell, font = 64, font_of(13)
    columns = rows if columns is None else columns
    margin = 12 + max(round(font.getlength(name)) for name in rows)
    canvas = Image.new("RGB", (margin + cell * len(columns), 22 + cell * len(rows)), PAPER)
    draw = ImageDraw.Draw(canvas)
    for place, name in enumerate(columns):
        while font.getlength(name) > cell - 4:
            name = name[:-1]
        draw.text((margin + cell * (place + 0.5), 11), name, INK, font, anchor="mm")
    for row, name in enumerate(rows):
        draw.text((margin - 6, 22 + cell * (row + 0.5)), name, INK, font, anchor="rm")
        for place, value in enumerate(values[row]):
            x, y = margin + cell * place, 22 + cell * row
            known = np.isfinite(value)
            ink = NEGATIVE if known and value < 0 else POSITIVE
            strength = min(1.0, abs(value) / limit) if known else 0.0
            fill = tuple(round(255 + strength * (tone - 255)) for tone in ink) if known else (222, 226, 230)
            draw.rectangle((x, y, x + cell - 2, y + cell - 2), fill=fill)
            text = f"{value:.2f}" if known else "?"
            draw.text((x + cell / 2 - 1, y + cell / 2 - 1), text, PAPER if strength > 0.6 else INK, font, anchor="mm")
    return np.asarray(canvas)
