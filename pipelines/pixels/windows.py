"""Windows of an image that are not filled by its own picture: those of a mosaic, and rectangles that lie over it.

A window is int32 `[..., 4]`: y, x, height, width in pixels.
"""

from typing import NamedTuple

import tensorflow as tf

from pipelines.pixels.geometry import Placement, zoom


class Cover(NamedTuple):
    """What lies over a picture.

    Args:
        window: int32 `[4]`, the smallest that holds it.
        mask: bool `[H, W]`, its pixels; None where it fills its window.
    """

    window: tf.Tensor
    mask: tf.Tensor | None = None

    def laid(self, below: tf.Tensor, above: tf.Tensor) -> tf.Tensor:
        """Return pixels `[H, W, C]` with others over them, of the whole image, or `[h, w, C]` of a window that is full.

        To put rows and columns together takes a fifth of the time of choosing pixel by pixel.
        """
        if self.mask is not None:
            return tf.where(self.mask[..., None], above, below)
        y, x, height, width = tf.unstack(self.window)
        rows = below[y : y + height]
        rows = tf.concat([rows[:, :x], above, rows[:, x + width :]], axis=1)
        return tf.ensure_shape(tf.concat([below[:y], rows, below[y + height :]], axis=0), below.shape)

    def over(self, boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the fraction of each box `[M, 4]` that is hidden, `[M]`, and the boxes as far as they are seen.

        Pixels of a mask are counted by an integral image. A box ends where a window hides it from end to end.
        """
        if self.mask is None:
            start, extent = tf.split(tf.cast(tf.gather(self.window, [1, 0, 3, 2]), tf.float32), 2)
            window = tf.concat([start, start + extent], axis=0)
            common = tf.maximum(tf.minimum(boxes[:, 2:], window[2:]) - tf.maximum(boxes[:, :2], window[:2]), 0.0)
            area = tf.reduce_prod(boxes[:, 2:] - boxes[:, :2], axis=1)
            return tf.reduce_prod(common, axis=1) / tf.maximum(area, 1e-6), _ending(boxes, window)
        counts = tf.cumsum(tf.cumsum(tf.pad(tf.cast(self.mask, tf.int32), [[1, 0], [1, 0]]), axis=0), axis=1)
        height, width = self.mask.shape
        corners = tf.clip_by_value(tf.cast(tf.round(boxes), tf.int32), 0, [width, height, width, height])
        x_min, y_min, x_max, y_max = tf.unstack(corners, axis=1)

        def count(y: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
            return tf.gather_nd(counts, tf.stack([y, x], axis=1))

        inside = count(y_max, x_max) - count(y_min, x_max) - count(y_max, x_min) + count(y_min, x_min)
        area = tf.maximum((x_max - x_min) * (y_max - y_min), 1)
        return tf.cast(inside / area, tf.float32), boxes


def _ending(boxes: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
    """Boxes `[M, 4]` without the ends that lie behind a window `[4]`, both `x_min, y_min, x_max, y_max`."""
    first, last = boxes[:, :2], boxes[:, 2:]
    behind_first, behind_last = window[:2] <= first, window[2:] >= last
    across = tf.reverse(behind_first & behind_last, [1])  # hidden from end to end along the other axis
    new_first = tf.where(across & behind_first, tf.minimum(tf.maximum(window[2:], first), last), first)
    new_last = tf.where(across & behind_last, tf.maximum(tf.minimum(window[:2], last), new_first), last)
    return tf.concat([new_first, new_last], axis=1)


def quarters(centre: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Return the four windows that meet in a point in the middle half of an image, int32 `[N, 4, 4]`, row by row.

    Args:
        centre: float32 `[N, 2]` in 0..1: where in that half, vertically and horizontally.
        size: height and width of the image in pixels.
    """
    height, width = size
    y, x = tf.unstack(tf.cast(tf.round((0.25 + 0.5 * centre) * tf.constant(size, tf.float32)), tf.int32), axis=1)
    none = tf.zeros_like(y)
    rows = [(none, y), (y, height - y)]
    columns = [(none, x), (x, width - x)]
    windows = [tf.stack([top, left, tall, wide], axis=1) for top, tall in rows for left, wide in columns]
    return tf.stack(windows, axis=1)


def rectangles(area: tf.Tensor, aspect: tf.Tensor, position: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Return windows of a fraction of an image, int32 `[N, 4]`.

    Args:
        area: float32 `[N]`, as a fraction of the image's.
        aspect: float32 `[N]`, height over width, where 1 is that of the image; sides are cut to the image's.
        position: float32 `[N, 2]` in 0..1: where it lies, vertically and horizontally.
        size: height and width of the image in pixels.
    """
    full = tf.constant(size, tf.float32)
    sides = tf.sqrt(area)[:, None] * tf.stack([tf.sqrt(aspect), 1.0 / tf.sqrt(aspect)], axis=1) * full
    sides = tf.clip_by_value(tf.round(sides), 1.0, full)
    return tf.cast(tf.concat([tf.round(position * (full - sides)), sides], axis=1), tf.int32)


def fill(
    placement: Placement, windows: tf.Tensor, factor: tf.Tensor, position: tf.Tensor, most: float
) -> tuple[Placement, tf.Tensor]:
    """Place pictures in windows of the image, zoomed as far as it takes to fill them; return the zoom factors too.

    Args:
        placement: from `geometry.whole`.
        windows: int32 `[..., 4]`.
        factor: float32 `[...]`, the zoom of each; a larger one if the window would not be full.
        position: float32 `[..., 2]` in 0..1: where the crop lies in what is left over, vertically and horizontally.
        most: the largest factor for the sake of a full window.
    """
    full = tf.cast(windows[..., 2:], tf.float32)
    cover = tf.reduce_max(full / tf.cast(placement.target[..., 2:], tf.float32), axis=-1)
    factor = tf.maximum(factor, tf.minimum(cover, most))
    placed = zoom(placement, full, factor, position)
    start = tf.concat([windows[..., :2], tf.zeros_like(windows[..., :2])], axis=-1)
    return placed._replace(target=placed.target + start), factor
