"""Boxes of objects: padded to so many rows, and taken where their pictures go, cut off perhaps."""

import tensorflow as tf

from pipelines.kinds.spec import CROWD, PADDING
from pipelines.pixels.geometry import Placement

LEAST_AREA = 0.25  # as a fraction of its own: an object cut to less is dropped
MIN_SIDE = 2.0  # pixels: an object cut to less is dropped


def padded(boxes: tf.Tensor, classes: tf.Tensor, rows: int) -> dict[str, tf.Tensor]:
    """Return a label of `rows` rows: boxes float32 `[N, 4]` and their classes int32 `[N]`, then padding."""
    after = rows - tf.shape(classes)[0]
    return {
        "boxes": tf.ensure_shape(tf.pad(boxes, [[0, after], [0, 0]]), [rows, 4]),
        "classes": tf.ensure_shape(tf.pad(classes, [[0, after]], constant_values=PADDING), [rows]),
    }


def place_boxes(
    boxes: tf.Tensor,
    classes: tf.Tensor,
    placement: Placement,
    size: tuple[int, int],
    cut: bool = False,
    turned: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Take boxes where `geometry.sample_image` and `geometry.mirror` take the pixels.

    Args:
        boxes: float32 `[B, M, 4]`, `x_min, y_min, x_max, y_max` in pixels of the pictures.
        classes: int32 `[B, M]`.
        placement: of the B pictures.
        size: height and width of the image in pixels.
        cut: whether windows may cut objects. Boxes are then clipped to what is seen of the picture; an object left with
            under a quarter of its area, or a side under 2 pixels, is dropped, and the rows behind it move up. Regions
            to ignore are only dropped when under 2 pixels.
        turned: whether pictures are turned: a box becomes the upright one around its turned corners.

    Returns:
        Boxes and classes of the same shapes, in pixels of the image; rows of padding are zero.
    """
    source, target = tf.cast(placement.source, tf.float32), tf.cast(placement.target, tf.float32)
    scale = target[:, 2:] / source[:, 2:]
    shift = target[:, :2] - source[:, :2] * scale
    boxes = boxes * _twice(scale) + _twice(shift)
    first, last = target[:, :2], target[:, :2] + target[:, 2:]
    if turned:
        boxes = _around_turned(boxes, placement.turn, size)
        first, last = tf.zeros_like(first), tf.zeros_like(last) + tf.constant(size, tf.float32)
    if cut:
        seen = tf.clip_by_value(boxes, _twice(first), _twice(last))
        left = _area(seen) / tf.maximum(_area(boxes), 1e-6)
        kept = (classes == CROWD) | ((classes != PADDING) & (left >= LEAST_AREA))
        kept &= tf.reduce_all(seen[..., 2:] - seen[..., :2] >= MIN_SIDE, axis=-1)
        order = tf.argsort(tf.cast(kept, tf.int32), axis=1, direction="DESCENDING", stable=True)
        boxes = tf.gather(seen, order, batch_dims=1)
        classes = tf.gather(tf.where(kept, classes, PADDING), order, batch_dims=1)
    x_min, y_min, x_max, y_max = tf.unstack(boxes, axis=-1)
    mirrored = tf.stack([size[1] - x_max, y_min, size[1] - x_min, y_max], axis=-1)
    boxes = tf.where(placement.flip[:, None, None], mirrored, boxes)
    return tf.where((classes == PADDING)[..., None], 0.0, boxes), classes


def _around_turned(boxes: tf.Tensor, turn: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """The upright boxes `[B, M, 4]` around boxes turned by angles `[B]` about the centre of the image."""
    half = (boxes[..., 2:] - boxes[..., :2]) / 2
    centre = tf.constant([size[1] / 2, size[0] / 2])
    x, y = tf.unstack((boxes[..., :2] + boxes[..., 2:]) / 2 - centre, axis=-1)
    cos, sin = tf.cos(turn)[:, None], tf.sin(turn)[:, None]
    middle = tf.stack([cos * x - sin * y, sin * x + cos * y], axis=-1) + centre
    width, height = tf.unstack(half, axis=-1)
    cos, sin = tf.abs(cos), tf.abs(sin)
    extent = tf.stack([cos * width + sin * height, sin * width + cos * height], axis=-1)
    return tf.concat([middle - extent, middle + extent], axis=-1)


def _twice(pairs: tf.Tensor) -> tf.Tensor:
    """`[B, 2]` of (y, x) as `[B, 1, 4]` of (x, y, x, y)."""
    return tf.tile(pairs[:, None, ::-1], [1, 1, 2])


def _area(boxes: tf.Tensor) -> tf.Tensor:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
