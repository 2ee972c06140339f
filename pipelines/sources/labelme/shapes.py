"""What labelme draws (polygons, rectangles, circles, masks) as boxes and outlines; those of a group are one object."""

import base64
import binascii
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import acos, cos, hypot, isfinite, pi, sin
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as rle

from pipelines.sources.files.entries import Corners, clipped, is_cut
from pipelines.sources.files.outlines import region

POLYGONS = {"polygon": 3, "rectangle": 2, "oriented_rectangle": 4, "rotation": 4}  # the fewest points of each
ASIDE = ("point", "points", "line", "linestrip", "lines")  # of no area
DRAWN = (*POLYGONS, "circle", "mask")
LEAST = 12  # corners of a circle's outline
Outline = list[list[float]] | dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """One shape, or several of one group.

    Attributes:
        label: its class.
        group: what others of its object have too, or None.
        box: `x_min, y_min, x_max, y_max` in pixels, of a circle or mask within the image.
        outline: polygons, or an RLE as COCO has it.
        number: its place in the file, from 1.
        crosses: it was drawn across the edge of the image, and is cut there.
    """

    label: str
    group: Any
    box: Corners
    outline: Outline
    number: int
    crosses: bool = False


def read_shape(shape: Mapping[str, Any], number: int, size: tuple[int, int]) -> Shape | None:
    """Read a shape.

    Args:
        shape: as labelme writes it.
        number: its place in the file, from 1.
        size: height and width of the image.

    Returns:
        The shape; None if it has no area: a point or a line.

    Raises:
        ValueError: it is malformed, or of a form that is not known.
    """
    label, form = shape.get("label"), shape.get("shape_type") or "polygon"
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"label is {label!r}, expected a name")
    if form in ASIDE:
        return None
    if form not in DRAWN:
        raise ValueError(f"shape_type is {form!r}, expected one of {', '.join((*DRAWN, *ASIDE))}")
    points = _points(shape.get("points"))
    outline: Outline
    crosses = False
    if form == "mask":
        box, outline = _mask(shape.get("mask"), points, size)
    elif form == "circle":
        whole, outline = _circle(points)
        box = clipped(whole, size)
        crosses = is_cut(box, whole)
    else:
        if len(points) < POLYGONS[form]:
            raise ValueError(f"{form} has {len(points)} points, expected {POLYGONS[form]} or more")
        box = around(points)
        corners = [(box[i], box[j]) for i, j in ((0, 1), (2, 1), (2, 3), (0, 3))]
        outline = [[value for point in (corners if form == "rectangle" else points) for value in point]]
    return Shape(label.strip(), shape.get("group_id"), box, outline, number, crosses)


def joined(shapes: Sequence[Shape], size: tuple[int, int]) -> list[Shape]:
    """Join shapes of one label and one group: the box around them all, and all their outlines."""
    groups: dict[Any, list[Shape]] = {}
    for shape in shapes:
        key = ("alone", shape.number) if shape.group is None else (shape.label, str(shape.group))
        groups.setdefault(key, []).append(shape)
    return [own[0] if len(own) == 1 else _join(own, size) for own in groups.values()]


def around(points: Sequence[tuple[float, float]]) -> Corners:
    """Return the box around points."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _join(shapes: list[Shape], size: tuple[int, int]) -> Shape:
    first = shapes[0]
    box = around([point for s in shapes for point in (s.box[:2], s.box[2:])])
    outlines = [shape.outline for shape in shapes]
    polygons = [polygon for outline in outlines if isinstance(outline, list) for polygon in outline]
    whole = all(isinstance(outline, list) for outline in outlines)
    outline = polygons if whole else _text(rle.merge([region(outline, size) for outline in outlines]))
    return Shape(first.label, first.group, box, outline, first.number)


def _points(points: object) -> list[tuple[float, float]]:
    if not isinstance(points, list):
        raise ValueError(f"points are {points!r}, expected a list of [x, y]")
    read = []
    for point in points:
        pair = point if isinstance(point, list) and len(point) == 2 else [None]
        if not all(isinstance(x, int | float) and not isinstance(x, bool) and isfinite(x) for x in pair):
            raise ValueError(f"points have {point!r}, expected [x, y]")
        read.append((float(point[0]), float(point[1])))
    return read


def _circle(points: list[tuple[float, float]]) -> tuple[Corners, Outline]:
    """Return the box and a polygon within half a pixel of a circle, given by its centre and a point of its rim."""
    if len(points) != 2:
        raise ValueError(f"circle has {len(points)} points, expected its centre and one on the rim")
    (x, y), (x_rim, y_rim) = points
    radius = hypot(x_rim - x, y_rim - y)
    # The arc between two corners is off the line by radius * (1 - cos(pi / count)).
    count = LEAST if radius <= 1 else max(LEAST, int(pi / acos(1 - 0.5 / radius)) + 1)
    angles = [2 * pi * i / count for i in range(count)]
    outline = [value for angle in angles for value in (x + radius * sin(angle), y + radius * cos(angle))]
    return (x - radius, y - radius, x + radius, y + radius), [outline]


def _mask(encoded: object, points: list[tuple[float, float]], size: tuple[int, int]) -> tuple[Corners, Outline]:
    """Return the box and the RLE of a mask: a PNG of the box whose first corner is the first point."""
    if not isinstance(encoded, str) or not points:
        raise ValueError("mask has no picture in base64 or no points")
    try:
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
            pixels = np.asarray(picture, np.int64)
    except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"mask is no picture in base64: {error}") from None
    patch = pixels if pixels.ndim == 2 else pixels[..., :3].max(axis=-1)
    (left, top), (height, width) = (round(value) for value in points[0]), patch.shape
    whole = np.zeros(size, np.uint8)
    y, x = slice(max(top, 0), max(top + height, 0)), slice(max(left, 0), max(left + width, 0))
    part = whole[y, x]
    part[:] = patch[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]] > 0
    rows, columns = np.flatnonzero(whole.any(axis=1)), np.flatnonzero(whole.any(axis=0))
    if not len(rows):
        raise ValueError("mask has no pixel in the image")
    box = float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
    return box, _text(rle.encode(np.asfortranarray(whole)))


def _text(encoded: dict[str, Any]) -> dict[str, Any]:
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode()}
