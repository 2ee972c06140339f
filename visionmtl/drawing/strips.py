"""Pictures side by side, and enlarged so that what is drawn on them can be read."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from visionmtl.drawing.colours import INK, PAPER, Colours
from visionmtl.drawing.text import font_of, legend, note


def side_by_side(
    images: Sequence[np.ndarray],
    captions: Sequence[str] = (),
    legends: Mapping[str, Colours] | None = None,
    stacked: bool = False,
    notes: Sequence[Sequence[str]] = (),
) -> np.ndarray:
    """Set pictures of one height beside each other on white, as in "photo | truth | prediction".

    Args:
        images: uint8 `[H, W_i, 3]`.
        captions: one above each picture, or none at all.
        legends: colours of classes by title, one legend each below the pictures.
        stacked: whether they stand below each other instead, to be read where there is little width.
        notes: lines below each picture, or none at all.

    Returns:
        uint8 `[h, w, 3]`.
    """
    size = min(18, max(12, round(images[0].shape[0] / 24)))
    gap, font = size // 2, font_of(size)
    top = gap + (round(size * 1.5) if captions else 0)
    told = [note(lines, image.shape[1], size) for image, lines in zip(images, notes or [()] * len(images), strict=True)]
    room = max(map(len, told))
    places, across, down = list[tuple[int, int]](), gap, 0
    for image, words in zip(images, told, strict=True):
        places.append((gap, down + top) if stacked else (across, top))
        across, down = across + image.shape[1] + gap, down + top + image.shape[0] + len(words)
    width, bottom = across, top + images[0].shape[0] + room
    if stacked:
        width, bottom = max(image.shape[1] for image in images) + 2 * gap, down
    keys = [legend(colours, width - 2 * gap, size, title) for title, colours in (legends or {}).items()]
    height = bottom + gap + sum(key.shape[0] for key in keys) + (gap // 2 if keys else 0)
    canvas = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    for index, (image, (x, y)) in enumerate(zip(images, places, strict=True)):
        canvas.paste(Image.fromarray(image), (x, y))
        if len(told[index]):
            canvas.paste(Image.fromarray(told[index]), (x, y + image.shape[0]))
        if captions:
            draw.text((x, y - top / 2), captions[index], INK, font, anchor="lm")
    y = bottom + gap // 2
    for key in keys:
        canvas.paste(Image.fromarray(key), (gap, y))
        y += key.shape[0]
    return np.asarray(canvas)


def level(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return pictures of one width, uint8 `[H_i, W, 3]`, as `[N, H, W, 3]`, with white below lower ones."""
    tall = max(map(len, pictures))
    return np.stack(
        [np.pad(each, ((0, tall - len(each)), (0, 0), (0, 0)), constant_values=PAPER[0]) for each in pictures]
    )


def enlarge(image: np.ndarray, predictions: Mapping[str, np.ndarray], factor: int) -> tuple[np.ndarray, dict]:
    """Enlarge a small picture and what was predicted for it, so that labels drawn on it can be read.

    Args:
        image: uint8 `[H, W, 3]`.
        predictions: of this one image: boxes are `[N, 4]` in pixels, maps `[H, W]`; anything else stays as it is.
        factor: a whole number, 1 or more.
    """

    def grown(key: str, value: np.ndarray) -> np.ndarray:
        if key == "boxes":
            return value * factor
        return value.repeat(factor, 0).repeat(factor, 1) if value.shape == image.shape[:2] else value

    size = (image.shape[1] * factor, image.shape[0] * factor)
    large = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)) if factor > 1 else image
    return large, {key: grown(key, np.asarray(value)) for key, value in predictions.items()}
