"""Outlines of objects (polygons or RLE) painted into one semantic mask per image, each painted once."""

from collections.abc import Sequence
from itertools import groupby
from math import isfinite

import numpy as np
import tensorflow as tf
from pycocotools import mask as rle

from pipelines.kinds.spec import IGNORE
from pipelines.pixels import pictures
from pipelines.sources.files.entries import Corners


def paint(annotations: Sequence, ids: dict[str, int], shape: tuple[int, int]) -> np.ndarray:
    """Paint the outlines of one image.

    Crowd regions come first, as ignored; then the objects from the largest to the smallest, so that none hides behind
    another.

    Args:
        annotations: `Annotation`s of the image; those without an outline are left out.
        ids: category name -> class id of the mask.
        shape: height and width of the image in pixels.

    Returns:
        uint8 `[h, w]`, 0 where there is no object.

    Raises:
        ValueError: an outline is malformed.
    """
    painted = np.zeros(shape, np.uint8)
    regions = [(a, region(a.segmentation, shape)) for a in annotations if a.segmentation]  # encoded: a few bytes each
    regions.sort(key=lambda pair: (not pair[0].crowd, -int(rle.area(pair[1]))))
    for value, run in groupby(regions, key=lambda pair: IGNORE if pair[0].crowd else ids[pair[0].category]):
        painted[_decoded([encoded for _, encoded in run])] = value  # neighbours of one class at once
    return painted


def region(segmentation: list | dict, shape: tuple[int, int]) -> dict:
    """Turn polygons, or an RLE (compressed or not), into a compressed RLE of `[h, w]`."""
    height, width = shape
    if isinstance(segmentation, list):
        if not all(_is_polygon(polygon) for polygon in segmentation):
            raise ValueError("segmentation has a polygon that is not [x1, y1, x2, y2, x3, y3, ...]")
        return rle.merge(rle.frPyObjects(segmentation, height, width))
    if not isinstance(segmentation, dict):
        raise ValueError(f"segmentation is {segmentation!r}, expected polygons or an RLE")
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if size != [height, width]:
        raise ValueError(f"segmentation is an RLE of size {size}, but the image has height {height} and width {width}")
    if not isinstance(counts, str | list):
        raise ValueError(f"segmentation is an RLE whose counts are {counts!r}, expected a string or a list")
    runs = _runs(counts) if isinstance(counts, str) else counts
    # pycocotools does not look: it would leave the rest of the mask as the memory was.
    if not all(isinstance(run, int) and run >= 0 for run in runs) or sum(runs) != height * width:
        raise ValueError(f"segmentation is an RLE whose counts do not add up to {height * width} pixels")
    return rle.frPyObjects(segmentation, height, width) if isinstance(counts, list) else segmentation


def around(polygons: Sequence[Sequence[float]]) -> Corners:
    """Return the box around polygons, each `[x1, y1, x2, y2, ...]`."""
    xs, ys = ([value for points in polygons for value in points[axis::2]] for axis in (0, 1))
    return min(xs), min(ys), max(xs), max(ys)


def _runs(counts: str) -> list[int]:
    """Decode the counts of a compressed RLE: five bits a character, from the third on as differences to two before."""
    runs: list[int] = []
    run = shift = 0
    for character in counts:
        bits = ord(character) - 48
        run |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            run -= (bits & 16) << (shift - 4)  # the sign
            runs.append(run + (runs[-2] if len(runs) > 2 else 0))
            run = shift = 0
    return runs if not shift else []


def _decoded(encoded: list[dict]) -> np.ndarray:
    """Turn RLEs into the mask bool `[h, w]` of what lies in any."""
    return rle.decode(rle.merge(encoded) if len(encoded) > 1 else encoded[0]).astype(bool)


def _is_polygon(points: object) -> bool:
    if not isinstance(points, list) or len(points) < 6 or len(points) % 2:
        return False
    return all(isinstance(x, int | float) and isfinite(x) for x in points)


class PaintedMasks:
    """The masks of a split, painted at the first use and kept as PNG (a few KB each), so that no epoch paints again."""

    def __init__(self, annotations: list[Sequence], ids: dict[str, int], shapes: list[tuple[int, int]]):
        self.annotations, self.ids, self.shapes = annotations, ids, shapes
        self.painted: dict[int, bytes] = {}

    def read(self, index: tf.Tensor) -> tf.Tensor:
        """Return the mask uint8 `[h, w, 1]` of an image, in graph."""
        encoded = tf.ensure_shape(tf.numpy_function(self._encoded, [index], tf.string), [])
        return tf.io.decode_png(encoded, channels=1)

    def _encoded(self, index: np.int64) -> bytes:
        place = int(index)
        if place not in self.painted:
            mask = paint(self.annotations[place], self.ids, self.shapes[place])
            self.painted[place] = pictures.png(mask, level=1)
        return self.painted[place]
