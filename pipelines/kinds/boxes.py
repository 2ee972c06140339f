"""Boxes of objects: padded to so many rows, and taken where their pictures go, cut off perhaps."""

import tensorflow as tf

from pipelines.kinds.spec import CROWD, PADDING
from pipelines.pixels.geometry import Cut, Placement
from pipelines.pixels.windows import Cover

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
    cut: Cut | None = None,
    turned: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Take boxes where `geometry.sample_image` and `geometry.mirror` take the pixels.

    Args:
        boxes: float32 `[B, M, 4]`, `x_min, y_min, x_max, y_max` in pixels of the pictures.
        classes: int32 `[B, M]`.
        placement: of the B pictures.
        size: height and width of the image in pixels.
        cut: where windows may cut objects: boxes are then clipped to what is seen of the picture; an object left with
            a smaller fraction of its area than it says, or a side under 2 pixels, is dropped or to be ignored, and the
            rows behind it move up. Regions to ignore are only dropped when under 2 pixels.
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
        level = placement.turn[:, None] == 0.0
        first, last = tf.where(level, first, 0.0), tf.where(level, last, tf.constant(size, tf.float32))
    if cut is not None:
        seen = tf.clip_by_value(boxes, _twice(first), _twice(last))
        left = _area(seen) / tf.maximum(_area(boxes), 1e-6)
        boxes, classes = in_order(seen, _remaining(seen, classes, left, cut))
    x_min, y_min, x_max, y_max = tf.unstack(boxes, axis=-1)
    mirrored = tf.stack([size[1] - x_max, y_min, size[1] - x_min, y_max], axis=-1)
    boxes = tf.where(placement.flip[:, None, None], mirrored, boxes)
    return tf.where((classes == PADDING)[..., None], 0.0, boxes), classes


def in_order(boxes: tf.Tensor, classes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return rows `[..., M]` with the objects first, then regions to ignore, then padding, else in their order."""
    rank = tf.where(classes >= 0, 2, tf.where(classes == CROWD, 1, 0))
    order = tf.argsort(rank, axis=-1, direction="DESCENDING", stable=True)
    many = classes.shape.rank - 1
    return tf.gather(boxes, order, batch_dims=many), tf.gather(classes, order, batch_dims=many)


def _remaining(seen: tf.Tensor, classes: tf.Tensor, left: tf.Tensor, cut: Cut) -> tf.Tensor:
    """The classes `[..., M]` of what is seen of objects, of which a fraction `[..., M]` of the area is left."""
    lost = CROWD if cut.ignore else PADDING
    remaining = tf.where((classes >= 0) & (left < cut.least), lost, classes)
    large = tf.reduce_all(seen[..., 2:] - seen[..., :2] >= MIN_SIDE, axis=-1)
    return tf.where(large, remaining, PADDING)


def hidden(boxes: tf.Tensor, classes: tf.Tensor, cover: Cover, cut: Cut) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the boxes `[M, 4]` and classes `[M]` of objects over which something lies.

    A box of which a window hides one side from end to end ends there; any other stays as it is, as what is seen still
    reaches to its sides. What is left of too little is as in `place_boxes`.
    """
    fraction, seen = cover.over(boxes)
    boxes, classes = in_order(seen, _remaining(seen, classes, 1.0 - fraction, cut))
    return tf.where((classes == PADDING)[:, None], 0.0, boxes), classes


def joined(boxes: tf.Tensor, classes: tf.Tensor, weights: tf.Tensor, windows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return boxes `[M, 4]` and classes `[M]` of an image in which N pictures lie; of more than M, the largest stay.

    Args:
        boxes: float32 `[N, M, 4]`, in place.
        classes: int32 `[N, M]`.
        weights: float32 `[N]`; where one is 0, nobody drew the objects, and the window is a region to ignore.
        windows: int32 `[N, 4]`: y, x, height, width in pixels.
    """
    rows = classes.shape[1]
    unlabelled = weights == 0.0
    start, extent = tf.split(tf.cast(tf.gather(windows, [1, 0, 3, 2], axis=1), tf.float32), 2, axis=1)
    regions = tf.concat([start, start + extent], axis=1)
    classes = tf.where(unlabelled[:, None], PADDING, classes)
    boxes = tf.concat([tf.reshape(boxes, [-1, 4]), regions], axis=0)
    classes = tf.concat([tf.reshape(classes, [-1]), tf.where(unlabelled, CROWD, PADDING)], axis=0)
    order = tf.argsort(_area(boxes), direction="DESCENDING", stable=True)
    boxes, classes = in_order(tf.gather(boxes, order), tf.gather(classes, order))
    boxes, classes = boxes[:rows], classes[:rows]
    return tf.where((classes == PADDING)[:, None], 0.0, boxes), classes


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
