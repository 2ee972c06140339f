"""Drawing on pictures: boxes with labels, class masks, captions, legends and strips; NumPy uint8 in and out."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageDraw, ImageFont

# Okabe and Ito's seven, for all kinds of colour vision, then five hues between: a tint shows hue alone.
FIRST_COLOURS = (
    *("E69F00", "56B4E9", "D55E00", "009E73", "F0E442", "0072B2", "CC79A7"),
    *("8C4FE0", "C2183C", "A4D41A", "FF3FD0", "19DCE0"),
)
INK = (33, 37, 41)
PAPER = (255, 255, 255)
NEGATIVE, POSITIVE = (213, 94, 0), (0, 114, 178)
BACKGROUND = "background"

Colours = Mapping[str, tuple[int, int, int] | None]  # of classes by name, in their order; None: not painted


def palette(count: int) -> np.ndarray:
    """Return one colour per class, uint8 `[count, 3]`; the colour of a class does not depend on `count`.

    The first twelve are chosen by hand; each further one is the colour farthest from all before it, as seen
    with full colour vision and with deuteranopia.
    """
    return _colours(count).copy()


def colours(names: Sequence[str]) -> Colours:
    """Return a colour for each class, in the order given; None for "background", on which the rest lies.

    Example:
        >>> colours(["background", "cat"])
        {'background': None, 'cat': (230, 159, 0)}
    """
    painted = [name for name in names if name != BACKGROUND]
    chosen = dict(zip(painted, map(tuple, palette(len(painted)).tolist()), strict=True))
    return {name: chosen.get(name) for name in names}


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
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    line, font = max(1, round(min(canvas.size) / 170)), _font(_text_size(image))
    named = [(name, colour or INK) for name, colour in colours.items()]
    for index in shown[::-1]:
        x0, y0, x1, y1 = (round(float(edge)) for edge in boxes[index])
        x1, y1 = max(x0, x1 - 1), max(y0, y1 - 1)
        if line > 1:  # a dark rim keeps the line apart from a mask of the same colour
            draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=INK, width=line + 2)
        draw.rectangle((x0, y0, x1, y1), outline=named[classes[index]][1], width=line)
    taken: list[tuple[int, int, int, int]] = []
    for index in shown:
        name, colour = named[classes[index]]
        text = name if scores is None else f"{name} {scores[index]:.2f}"
        tag = _room_for_tag(draw, font, text, boxes[index], canvas.size, taken)
        if tag:
            taken.append(tag)
            draw.rectangle(tag, fill=colour)
            draw.text(((tag[0] + tag[2] + 1) / 2, (tag[1] + tag[3] + 1) / 2), text, _ink_on(colour), font, anchor="mm")
    return np.asarray(canvas)


def masks(image: np.ndarray, classes: np.ndarray, colours: Colours, opacity: float = 0.5) -> np.ndarray:
    """Tint each pixel with the colour of its class, and trace where classes meet.

    Args:
        image: uint8 `[H, W, 3]`.
        classes: int `[H, W]`; a pixel of no class (255 = ignore), or of one without a colour, keeps the photograph.
        colours: of the classes, as from `colours`.
        opacity: of the tint, 0 to 1.
    """
    table, painted = np.array([colour or INK for colour in colours.values()]), np.array([*map(bool, colours.values())])
    known = np.where((classes >= 0) & (classes < len(table)), classes, len(table))
    tint, valid = np.append(table, [INK], axis=0)[known], np.append(painted, False)[known]
    edge = np.zeros(classes.shape, bool)
    edge[:, 1:] |= classes[:, 1:] != classes[:, :-1]
    edge[1:] |= classes[1:] != classes[:-1]
    strength = np.where(edge, min(1.0, opacity + 0.4), opacity)[..., None] * valid[..., None]
    return (image * (1 - strength) + tint * strength + 0.5).astype(np.uint8)


def depth(image: np.ndarray, metres: np.ndarray, farthest: float, opacity: float = 0.8) -> np.ndarray:
    """Colour each pixel by its depth, from yellow at 0 to dark blue at `farthest`, with a key in a corner.

    Args:
        image: uint8 `[H, W, 3]`.
        metres: float `[H, W]`; a pixel of unknown depth (0 or NaN) keeps the photograph.
        farthest: metres at the end of the scale, and beyond.
        opacity: of the colours, 0 to 1.
    """
    known = np.isfinite(metres) & (metres > 0)
    nearness = 1 - np.clip(np.where(known, metres, 0) / farthest, 0, 1)
    strength = opacity * known[..., None]
    canvas = Image.fromarray((image * (1 - strength) + _nearness(nearness) * strength + 0.5).astype(np.uint8))
    size, draw = _text_size(image), ImageDraw.Draw(canvas)
    width, text, font = canvas.width // 4, f"{farthest:g} m", _font(size)
    pad, end = size // 2, canvas.width - round(font.getlength(text)) - size
    start, top = end - width, pad + size // 4
    left = start - pad - round(font.getlength("0"))
    draw.rectangle((left - pad, 0, canvas.width, 2 * pad + size), fill=INK)
    scale = _nearness(np.linspace(1, 0, width)).round().astype(np.uint8)
    canvas.paste(Image.fromarray(np.tile(scale[None], (max(2, size // 2), 1, 1))), (start, top))
    draw.text((left, pad + size / 2), "0", PAPER, font, anchor="lm")
    draw.text((end + pad, pad + size / 2), text, PAPER, font, anchor="lm")
    return np.asarray(canvas)


def _nearness(shares: np.ndarray) -> np.ndarray:
    """Return colours `[..., 3]`, 0..255, that grow lighter with shares in 0..1, for all kinds of colour vision."""
    return 255 * colormaps["viridis"](shares)[..., :3]


def caption(image: np.ndarray, text: str) -> np.ndarray:
    """Write `text`, wrapped to the width, into the lower left corner of `image`, uint8 `[H, W, 3]`, on a dark veil."""
    canvas, size = Image.fromarray(image), _text_size(image)
    font, pad, spacing = _font(size), size // 3, size // 4
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if font.getlength(longer) <= canvas.width - 2 * pad else [*lines, word]
    text = "\n".join(lines).strip()
    if not text:
        return image.copy()
    _, _, right, bottom = ImageDraw.Draw(canvas).multiline_textbbox((0, 0), text, font, spacing=spacing)
    veil = Image.new("L", canvas.size, 0)
    top = max(0, canvas.height - round(bottom) - 2 * pad)
    ImageDraw.Draw(veil).rectangle((0, top, round(right) + 2 * pad, canvas.height), fill=170)
    canvas.paste(INK, (0, 0), veil)
    ImageDraw.Draw(canvas).multiline_text((pad, top + pad), text, PAPER, font, spacing=spacing)
    return np.asarray(canvas)


def legend(colours: Colours, width: int, size: int = 13, title: str = "") -> np.ndarray:
    """Return a white legend of the classes' colours, uint8 `[h, width, 3]`, in as many rows as it takes.

    Args:
        colours: of the classes, as from `colours`.
        width: of the legend in pixels.
        size: of the text in pixels.
        title: written in front.
    """
    font, gap, row = _font(size), size, round(size * 1.7)
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


def side_by_side(
    images: Sequence[np.ndarray], captions: Sequence[str] = (), legends: Mapping[str, Colours] | None = None
) -> np.ndarray:
    """Set pictures of one height beside each other on white, as in "photo | truth | prediction".

    Args:
        images: uint8 `[H, W_i, 3]`.
        captions: one above each picture, or none at all.
        legends: colours of classes by title, one legend each below the pictures.

    Returns:
        uint8 `[h, w, 3]`.
    """
    size = min(18, max(12, round(images[0].shape[0] / 24)))
    gap, font = size // 2, _font(size)
    top = gap + (round(size * 1.5) if captions else 0)
    width = sum(image.shape[1] + gap for image in images) + gap
    keys = [legend(colours, width - 2 * gap, size, title) for title, colours in (legends or {}).items()]
    height = top + images[0].shape[0] + gap + sum(key.shape[0] for key in keys) + (gap // 2 if keys else 0)
    canvas = Image.new("RGB", (width, height), PAPER)
    draw, x = ImageDraw.Draw(canvas), gap
    for index, image in enumerate(images):
        canvas.paste(Image.fromarray(image), (x, top))
        if captions:
            draw.text((x, top / 2), captions[index], INK, font, anchor="lm")
        x += image.shape[1] + gap
    y = top + images[0].shape[0] + gap // 2
    for key in keys:
        canvas.paste(Image.fromarray(key), (gap, y))
        y += key.shape[0]
    return np.asarray(canvas)


def enlarge(image: np.ndarray, predictions: Mapping[str, np.ndarray], factor: int) -> tuple[np.ndarray, dict]:
    """Enlarge a small picture and what was predicted for it, so that labels drawn on it can be read.

    Args:
        image: uint8 `[H, W, 3]`.
        predictions: of this one image: boxes are `[N, 4]` in pixels, maps `[H, W]`; anything else stays as it is.
        factor: a whole number, 1 or more.
    """

    def grown(key, value):
        if key == "boxes":
            return value * factor
        return value.repeat(factor, 0).repeat(factor, 1) if value.shape == image.shape[:2] else value

    size = (image.shape[1] * factor, image.shape[0] * factor)
    large = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)) if factor > 1 else image
    return large, {key: grown(key, np.asarray(value)) for key, value in predictions.items()}


@functools.cache
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _text_size(image: np.ndarray) -> int:
    return max(9, round(min(image.shape[:2]) / 27))


def _ink_on(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return dark or light, whichever reads better on `colour`."""
    return INK if np.dot(colour, (0.299, 0.587, 0.114)) > 125 else PAPER


def _room_for_tag(draw, font, text, box, size, taken) -> tuple[int, int, int, int] | None:
    """Find a place for a label above, inside or below its box that covers no other label; None if there is none."""
    pad = max(1, font.size // 5)
    width = round(draw.textlength(text, font)) + 2 * pad
    height = round(font.size * 1.1) + pad
    x = int(np.clip(round(float(box[0])), 0, max(0, size[0] - width)))
    top, bottom = round(float(box[1])), round(float(box[3]))
    for y in (top - height, top, bottom, bottom - height):
        place = (x, y, x + width - 1, y + height - 1)
        inside = y >= 0 and y + height <= size[1]
        if inside and not any(
            place[0] <= other[2] and other[0] <= place[2] and place[1] <= other[3] and other[1] <= place[3]
            for other in taken
        ):
            return place
    return None


@functools.cache
def _colours(count: int) -> np.ndarray:
    """Choose colours one by one, each the farthest from those before it; uint8 `[count, 3]`."""
    levels = np.linspace(0, 255, 16)
    candidates = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    lightness, chroma = _as_seen(candidates)[0, :, 0], np.linalg.norm(_as_seen(candidates)[0, :, 1:], axis=-1)
    # Dark, pale and greyish colours vanish on photographs and on white paper; glaring ones drown the rest.
    candidates = candidates[(lightness > 0.5) & (lightness < 0.9) & (chroma > 0.09) & (chroma < 0.22)]
    first = np.array([list(bytes.fromhex(code)) for code in FIRST_COLOURS], np.float64)
    seen = _as_seen(candidates)
    chosen = list(first)
    distance = np.min([_distances(seen, colour) for colour in first], axis=0)
    while len(chosen) < count:
        chosen.append(candidates[np.argmax(distance)])
        distance = np.minimum(distance, _distances(seen, chosen[-1]))
    return np.array(chosen[:count]).round().astype(np.uint8)


def _distances(seen: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return the distance of each candidate to `colour`: the smaller one of the two kinds of vision."""
    return np.linalg.norm(seen - _as_seen(colour[None]), axis=-1).min(axis=0)


def _as_seen(colours: np.ndarray) -> np.ndarray:
    """Return OKLab coordinates `[2, N, 3]` of sRGB colours `[N, 3]`, with full vision and with deuteranopia.

    Reference: Ottosson, A perceptual color space for image processing, 2020;
    Machado et al., A Physiologically-based Model for Simulation of Color Vision Deficiency, 2009.
    """
    share = colours / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    deuteranopia = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    )
    to_cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                         [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
    to_lab = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                       [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
    both = np.stack([linear, np.clip(linear @ deuteranopia.T, 0, 1)])
    return np.cbrt(both @ to_cones.T) @ to_lab.T


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
    cell, font = 64, _font(13)
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
            share = min(1.0, abs(value) / limit) if known else 0.0
            fill = tuple(round(255 + share * (tone - 255)) for tone in ink) if known else (222, 226, 230)
            draw.rectangle((x, y, x + cell - 2, y + cell - 2), fill=fill)
            text = f"{value:.2f}" if known else "?"
            draw.text((x + cell / 2 - 1, y + cell / 2 - 1), text, PAPER if share > 0.6 else INK, font, anchor="mm")
    return np.asarray(canvas)
