"""Outlines as YOLO has them: one polygon an object, in fractions of the image."""

import math
from collections.abc import Sequence

import numpy as np
from pycocotools import mask as rle

from pipelines.sources.files.outlines import region

FIFTHS = 5  # pycocotools rounds the corners of polygons to fifths of a pixel before it paints them


def joined(parts: Sequence[Sequence[float]]) -> list[float]:
    """Return one polygon of several, `[x1, y1, x2, y2, ...]` each: they are joined by bridges without any width.

    Example:
        >>> joined([[0, 0, 2, 0, 2, 2], [5, 2, 7, 2, 7, 4]])
        [0, 0, 2, 0, 2, 2, 5, 2, 7, 2, 7, 4, 5, 2, 2, 2]
    """
    merged = np.array(parts[0]).reshape(-1, 2)
    for part in parts[1:]:
        points = np.array(part).reshape(-1, 2)
        apart = ((merged[:, None] - points[None]) ** 2).sum(axis=-1)
        here, there = np.unravel_index(apart.argmin(), apart.shape)
        merged = np.concatenate([merged[: here + 1], points[there:], points[: there + 1], merged[here:]])
    return merged.ravel().tolist()


def fraction(value: float, side: int) -> float:
    """Return a coordinate as the fraction of a side that, multiplied by it again, is painted at the same place.

    Args:
        value: in pixels; what lies beyond the image is moved to its edge.
        side: of the image in pixels.
    """
    value = min(max(value, 0.0), float(side))
    plain = value / side
    near = (plain, math.nextafter(plain, 1.0), math.nextafter(plain, 0.0))
    painted = int(FIFTHS * value + 0.5)
    return next((each for each in near if int(FIFTHS * (each * side) + 0.5) == painted), plain)


def fractions(polygon: Sequence[float], shape: tuple[int, int]) -> list[float]:
    """Return a polygon of pixels in fractions of an image of this height and width."""
    height, width = shape
    return [fraction(value, height if place % 2 else width) for place, value in enumerate(polygon)]


def is_kept(outline: Sequence[Sequence[float]], shape: tuple[int, int]) -> bool:
    """Whether an outline of polygons covers the same pixels once it is one polygon in fractions."""
    height, width = shape
    polygon = joined(outline)
    inside = all(0 <= value <= (height if place % 2 else width) for place, value in enumerate(polygon))
    if len(outline) == 1 and inside:
        return True
    again = [value * (height if place % 2 else width) for place, value in enumerate(fractions(polygon, shape))]
    return bool((rle.decode(region([again], shape)) == rle.decode(region(list(map(list, outline)), shape))).all())
