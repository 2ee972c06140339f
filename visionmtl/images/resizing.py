"""How a picture of any size enters the network, and how maps are resized to its pixels."""

from typing import Any

import tensorflow as tf

from pipelines.pixels import geometry
from pipelines.pixels.rules import RESIZES
from visionmtl.errors import one_of
from visionmtl.images.interpolation import mixed, neighbours, spread
from visionmtl.images.plain import PLAIN

WHOLE = (0.0, 0.0, 1.0, 1.0)  # a window that is the whole input
GREY = float(geometry.GREY)  # what surrounds a letterboxed picture


def fit(images: tf.Tensor, size: tuple[int, int], resize: str = "stretch") -> tuple[tf.Tensor, tf.Tensor]:
    """Resize pictures to the network's input.

    Args:
        images: `[B, h, w, 3]` or `[h, w, 3]`, uint8 or float, 0..255.
        size: height and width of the input in pixels.
        resize: "stretch" fills the input; "letterbox" keeps the proportions and fills the rest with grey.

    Returns:
        float32 `[B, H, W, 3]` (or without B), of whole levels where the pictures are uint8, as training pictures are;
        and the window `[4]`: y0, x0, y1, x1 of the picture as fractions of the input.

    Raises:
        UsageError: `resize` is neither.
    """
    one_of(resize, RESIZES, "resize")
    height, width = size
    if resize == "stretch":
        return _resized(images, size), tf.constant(WHOLE)
    placement = geometry.whole(tf.shape(images)[-3:-1], size, resize)  # as training pictures are placed
    top, left, inner = placement.target[0], placement.target[1], placement.target[2:]
    picture = _resized(images, inner) - GREY
    picture = tf.image.pad_to_bounding_box(picture, top, left, height, width) + GREY
    picture.set_shape([*images.shape[:-3], height, width, 3])
    corners = tf.cast(tf.stack([top, left, top + inner[0], left + inner[1]]), tf.float32)
    return picture, corners / tf.constant([height, width] * 2, tf.float32)  # in float64 it would be no nearer


def _resized(images: tf.Tensor, size: tuple[int, int] | tf.Tensor) -> tf.Tensor:
    """Resize pictures as `geometry.sample_image` does."""
    resized = gathered(images, size, WHOLE) if PLAIN.get() is not None else tf.image.resize(images, size)
    return tf.floor(resized + 0.5) if tf.as_dtype(images.dtype).is_integer else resized


def crop_resize(maps: tf.Tensor, size: tuple[int, int], window: tf.Tensor | None = None) -> tf.Tensor:
    """Resize the part of maps `[B, h, w, C]` that lies in `window` to `size`, bilinearly and exact to the half pixel.

    Args:
        size: height and width of the result.
        window: y0, x0, y1, x1 as fractions of the maps; None for the whole.
    """
    if PLAIN.get() is not None:
        return gathered(maps, size, WHOLE if window is None else window)
    if window is None:
        return tf.image.resize(maps, size)
    size = tf.convert_to_tensor(size, tf.int32)
    return rows_of(maps, size, tf.convert_to_tensor(window, tf.float32), 0, size[0])


def rows_of(
    maps: tf.Tensor, size: tf.Tensor, window: tf.Tensor | None, first: tf.Tensor | int, rows: tf.Tensor
) -> tf.Tensor:
    """Return rows from the first on of what lies in a window of maps, or in all of them, resized to `size`.

    A letterboxed picture fills the maps in one direction at least. In that one the kernel for whole maps resizes, in
    less than half the time that `ScaleAndTranslate` takes; in the other, rows or columns of the maps are mixed, which
    are few.
    """
    maps = tf.cast(maps, tf.float32)
    top, left, bottom, right = (0.0, 0.0, 1.0, 1.0) if window is None else tf.unstack(window)
    down = spread(tf.shape(maps)[1], size[0], top, bottom, first + tf.range(rows))

    def across() -> tf.Tensor:
        return tf.image.resize(mixed(maps, 1, down), tf.stack([rows, size[1]]))

    def downwards() -> tf.Tensor:
        columns = mixed(maps, 2, spread(tf.shape(maps)[2], size[1], left, right))
        whole = tf.equal(top, 0.0) & tf.equal(bottom, 1.0) & tf.equal(rows, size[0])
        return tf.cond(whole, lambda: tf.image.resize(columns, size), lambda: mixed(columns, 1, down))

    if window is None:
        return across()
    return tf.cond(tf.equal(left, 0.0) & tf.equal(right, 1.0), across, downwards)


def gathered(maps: tf.Tensor, size: Any, window: Any) -> tf.Tensor:
    """Return the part of maps `[..., h, w, C]` that lies in a window, resized to `size`, of plain operations alone."""
    maps, window = tf.convert_to_tensor(maps), tf.convert_to_tensor(window, tf.float32)
    size = tf.convert_to_tensor(size, tf.int32)
    axes = (maps.shape.rank - 3, maps.shape.rank - 2)
    extents = [tf.shape(maps)[axis] for axis in axes]
    places = [spread(extent, size[i], window[i], window[i + 2]) for i, extent in enumerate(extents)]
    (above, below, down), (left, right, along) = map(neighbours, places, extents)

    def row(at: tf.Tensor) -> tf.Tensor:
        rows = tf.gather(maps, at, axis=axes[0])  # before they are cast: of a large picture only what is looked at
        first, second = (tf.cast(tf.gather(rows, to, axis=axes[1]), tf.float32) for to in (left, right))
        return first + (second - first) * along[:, None]

    upper = row(above)
    return upper + (row(below) - upper) * down[:, None, None]
