"""Centres of cells, sides of boxes and how far boxes overlap."""

from collections.abc import Sequence

import tensorflow as tf

EPSILON = 1e-7
TINY = 12.8  # pixels of the network's input: the mean size of the objects of AI-TOD, on which this was found


def points(
    shapes: Sequence[tuple[int, int]], strides: Sequence[int], size: tuple[int, int] | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the centres of a pyramid's cells, level after level, row by row.

    Args:
        shapes: height and width of each level's map.
        strides: pixels between neighbouring cells of each level.
        size: height and width of the image in pixels, over which the cells of a level are spread evenly even where the
            stride does not divide it; None where each does.

    Returns:
        Centres `[N, 2]` as x, y in pixels, and the stride `[N]` of each.
    """
    centres, steps = [], []
    for (height, width), stride in zip(shapes, strides, strict=True):
        down, right = (stride, stride) if size is None else (size[0] / height, size[1] / width)
        x = (tf.range(width, dtype=tf.float32) + 0.5) * right
        y = (tf.range(height, dtype=tf.float32) + 0.5) * down
        grid = tf.stack(tf.meshgrid(x, y), axis=-1)
        centres.append(tf.reshape(grid, (-1, 2)))
        steps.append(tf.fill((tf.shape(centres[-1])[0],), tf.cast(stride, tf.float32)))
    return tf.concat(centres, axis=0), tf.concat(steps, axis=0)


def from_distances(centres: tf.Tensor, distances: tf.Tensor) -> tf.Tensor:
    """Return boxes `[..., N, 4]` from distances `[..., N, 4]` (left, top, right, bottom) to centres `[N, 2]`."""
    return tf.concat([centres - distances[..., :2], centres + distances[..., 2:]], axis=-1)


def to_distances(centres: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
    """Return the distances (left, top, right, bottom) of the sides of boxes `[..., N, 4]` from centres `[N, 2]`."""
    return tf.concat([centres - boxes[..., :2], boxes[..., 2:] - centres], axis=-1)


def area(boxes: tf.Tensor) -> tf.Tensor:
    """Return the area `[...]` of boxes `[..., 4]` in square pixels; 0 for a box turned inside out."""
    size = tf.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return size[..., 0] * size[..., 1]


def _overlap(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the intersection and the union of boxes that broadcast against each other."""
    corner = tf.minimum(a[..., 2:], b[..., 2:]) - tf.maximum(a[..., :2], b[..., :2])
    corner = tf.maximum(corner, 0.0)
    intersection = corner[..., 0] * corner[..., 1]
    return intersection, area(a) + area(b) - intersection


def iou(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the intersection over union `[...]` of boxes `[..., 4]` and `[..., 4]` that broadcast.

    Example:
        >>> round(float(iou(tf.constant([0.0, 0, 2, 2]), tf.constant([1.0, 0, 3, 2]))), 3)
        0.333
    """
    intersection, union = _overlap(a, b)
    return intersection / (union + EPSILON)


def giou(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the generalised IoU `[...]`, in -1..1, of boxes that broadcast.

    Reference: Rezatofighi et al. 2019, Generalized Intersection over Union, algorithm 1.
    """
    intersection, union = _overlap(a, b)
    hull = tf.maximum(a[..., 2:], b[..., 2:]) - tf.minimum(a[..., :2], b[..., :2])
    hull = hull[..., 0] * hull[..., 1]
    return intersection / (union + EPSILON) - (hull - union) / (hull + EPSILON)


def pairwise_iou(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the IoU `[B, M, N]` of every box of `[B, M, 4]` with every box of `[B, N, 4]`.

    Side by side it equals `iou` on broadcast boxes; axis by axis it needs half the memory.
    """
    sides = []
    for axis in (0, 1):
        high = tf.minimum(a[..., axis + 2, None], b[:, None, :, axis + 2])
        low = tf.maximum(a[..., axis, None], b[:, None, :, axis])
        sides.append(tf.maximum(high - low, 0.0))
    intersection = sides[0] * sides[1]
    return intersection / (area(a)[..., None] + area(b)[:, None] - intersection + EPSILON)


def pairwise_nwd(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the normalised Wasserstein distance `[B, M, N]`, 1 for equal boxes, of every `[B, M, 4]` and `[B, N, 4]`.

    Boxes are taken for Gaussians with their centre and half their sides, whose distance is that of their corners.

    Reference: Wang et al. 2021, A Normalized Gaussian Wasserstein Distance for Tiny Object Detection, equations 7, 8.
    """
    squares = tf.add_n([(a[..., side, None] - b[:, None, :, side]) ** 2 for side in range(4)])
    return tf.exp(-tf.sqrt(squares / 2) / TINY)
