"""Outlines of COCO's objects, polygons or RLE, checked and brought into the form that is painted."""

from collections import Counter
from math import isfinite
from typing import Any

from pycocotools import mask as rle

from pipelines.sources.coco.values import whole
from pipelines.sources.files import outlines
from pipelines.sources.files.entries import Corners
from pipelines.sources.files.outlines import region

POINTS = 6  # numbers of a triangle
THIN = 8  # numbers of polygons that are looked at for having no area: those of a line have few
Outline = list | dict
ELSEWHERE = "its outline lies elsewhere than its box (or is in fractions): its box alone"
DROPPED = "its outline encloses nothing (fewer than three points, a line or no pixel): its box alone"


def outline(given: Any, size: tuple[int, int] | None, told: Counter[str]) -> Outline | None:
    """Return an outline as COCO has it, or None where there is none or it encloses nothing.

    Args:
        given: the field `segmentation`.
        size: height and width of the image, if they are known.
        told: counts what is read otherwise than it is written.

    Raises:
        ValueError: it is malformed.
    """
    if not given and not isinstance(given, str):
        return None
    if isinstance(given, list):
        found: Outline | None = _polygons(given, told)
    elif isinstance(given, dict):
        found = _rle(given, size)
    else:
        raise ValueError(f"segmentation is {given!r}, expected polygons or an RLE")
    if found is None:
        told[DROPPED] += 1
    return found


def around(found: Outline, size: tuple[int, int] | None) -> Corners:
    """Return the box around an outline: `x_min, y_min, x_max, y_max`.

    Raises:
        ValueError: it is an RLE that does not fit the image.
    """
    if isinstance(found, list):
        return outlines.around(found)
    x, y, width, height = rle.toBbox(region(found, size or tuple(found["size"]))).tolist()
    return x, y, x + width, y + height


def elsewhere(found: Outline, box: Corners) -> bool:
    """Whether polygons lie all outside the box of their object, or are fractions of 1 beside a box in pixels."""
    if not isinstance(found, list):
        return False
    x, y = found[0][:2]
    if box[0] <= x <= box[2] and box[1] <= y <= box[3] and max(x, y) > 1:  # by far the most: nothing more to look at
        return False
    x_min, y_min, x_max, y_max = around(found, None)
    if max(x_max, y_max) <= 1 < min(box[2] - box[0], box[3] - box[1]):
        return True
    return x_max < box[0] or x_min > box[2] or y_max < box[1] or y_min > box[3]


def scaled(found: Outline | None, size: tuple[int, int]) -> Outline | None:
    """Turn polygons in fractions of an image into pixels; what is in pixels already stays."""
    if not isinstance(found, list) or max(max(polygon) for polygon in found) > 1:
        return found
    return [[value * size[place % 2 == 0] for place, value in enumerate(polygon)] for polygon in found]


def _polygons(given: list, told: Counter[str]) -> list[list[float]] | None:
    polygons = _nested(given)
    if polygons is not given:
        told["its outline without COCO's brackets"] += 1
    good = [polygon for polygon in polygons if _encloses(polygon)]
    if good and len(good) < len(polygons):
        told["of its outline the polygons that enclose something"] += 1
    return good or None


def _nested(given: list) -> list:
    """Return polygons as COCO nests them: some tools write one without a list around, or points in pairs."""
    first = given[0]
    if isinstance(first, int | float):
        return [given]
    if isinstance(first, list) and len(given) > 2 and all(isinstance(p, list) and len(p) == 2 for p in given):
        return [[value for point in given for value in point]]
    if not isinstance(first, list) or not first or not isinstance(first[0], list):
        return given
    paired = all(isinstance(p, list) and all(isinstance(q, list) and len(q) == 2 for q in p) for p in given)
    return [[value for point in polygon for value in point] for polygon in given] if paired else given


def _encloses(polygon: Any) -> bool:
    """Whether a polygon encloses anything."""
    try:
        sound = isinstance(polygon, list) and isfinite(sum(polygon))  # by far the fastest look at all of the numbers
    except (TypeError, OverflowError):
        sound = False
    if not sound or (len(polygon) >= POINTS and len(polygon) % 2):
        raise ValueError("segmentation has a polygon that is not [x1, y1, x2, y2, x3, y3, ...]")
    if len(polygon) > THIN:
        return True
    if len(polygon) < POINTS:
        return False
    xs, ys = polygon[::2], polygon[1::2]
    return sum(xs[i - 1] * ys[i] - xs[i] * ys[i - 1] for i in range(len(xs))) != 0


def _rle(given: dict, size: tuple[int, int] | None) -> dict | None:
    sides = given.get("size")
    found = [whole(side) or 0 for side in sides] if isinstance(sides, list) else []
    if len(found) != 2 or min(found) < 1:
        raise ValueError(f"segmentation is an RLE of size {sides!r}, expected [height, width]")
    encoded = {"size": found, "counts": given.get("counts")}
    return encoded if rle.area(region(encoded, size or (found[0], found[1]))) else None
