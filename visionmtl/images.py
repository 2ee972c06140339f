"""How a picture of any size enters the network, and how maps come back to its pixels."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from pipelines.pixels import geometry
from pipelines.pixels.rules import RESIZES
from visionmtl.errors import one_of

WHOLE = (0.0, 0.0, 1.0, 1.0)  # a window that is the whole input
FLOAT = 4  # bytes
BAND = 32 << 20  # bytes of the logits of a band of a class map
GREY = float(geometry.GREY)  # what surrounds a letterboxed picture
PLAIN: ContextVar[bool | None] = ContextVar("plain", default=None)  # whether sparing; None where not plain at all
BYTE = 256  # classes that fit into one


@contextmanager
def plainly(sparing: bool = False) -> Iterator[None]:
    """Make graphs that are traced within of operations that every runtime has.

    Pictures and maps are then resized by gathering rows and columns, in TensorFlow's own arithmetic, instead of by its
    kernels: other runtimes have no `ScaleAndTranslate`, or resize no uint8, or round otherwise. A class map is made at
    once instead of in bands, in a loop.

    Args:
        sparing: whether a class map is made class by class: a fifth of the memory, where the runtime frees what it no
            longer needs.

    Example:
        >>> with plainly():
        ...     fitted, window = fit(tf.zeros((1, 5, 7, 3), tf.uint8), (4, 4), "letterbox")
        >>> fitted.shape
        TensorShape([1, 4, 4, 3])
    """
    before = PLAIN.set(sparing)
    try:
        yield
    finally:
        PLAIN.reset(before)


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
    resized = _gathered(images, size, WHOLE) if PLAIN.get() is not None else tf.image.resize(images, size)
    return tf.floor(resized + 0.5) if tf.as_dtype(images.dtype).is_integer else resized


def crop_resize(maps: tf.Tensor, size: tuple[int, int], window: tf.Tensor | None = None) -> tf.Tensor:
    """Resize the part of maps `[B, h, w, C]` that lies in `window` to `size`, bilinearly and exact to the half pixel.

    Args:
        size: height and width of the result.
        window: y0, x0, y1, x1 as fractions of the maps; None for the whole.
    """
    if PLAIN.get() is not None:
        return _gathered(maps, size, WHOLE if window is None else window)
    if window is None:
        return tf.image.resize(maps, size)
    size = tf.convert_to_tensor(size, tf.int32)
    return _crop_resize(maps, size, tf.convert_to_tensor(window, tf.float32), 0, size[0])


def _crop_resize(
    maps: tf.Tensor, size: tf.Tensor, window: tf.Tensor | None, first: tf.Tensor | int, rows: tf.Tensor
) -> tf.Tensor:
    """Return rows from the first on of what lies in a window of maps, or in all of them, resized to `size`.

    A letterboxed picture fills the maps in one direction at least. In that one the kernel for whole maps resizes, in
    less than half the time that `ScaleAndTranslate` takes; in the other, rows or columns of the maps are mixed, which
    are few.
    """
    maps = tf.cast(maps, tf.float32)
    top, left, bottom, right = (0.0, 0.0, 1.0, 1.0) if window is None else tf.unstack(window)
    down = _spread(tf.shape(maps)[1], size[0], top, bottom, first + tf.range(rows))

    def across() -> tf.Tensor:
        return tf.image.resize(_mixed(maps, 1, down), tf.stack([rows, size[1]]))

    def downwards() -> tf.Tensor:
        columns = _mixed(maps, 2, _spread(tf.shape(maps)[2], size[1], left, right))
        whole = tf.equal(top, 0.0) & tf.equal(bottom, 1.0) & tf.equal(rows, size[0])
        return tf.cond(whole, lambda: tf.image.resize(columns, size), lambda: _mixed(columns, 1, down))

    if window is None:
        return across()
    return tf.cond(tf.equal(left, 0.0) & tf.equal(right, 1.0), across, downwards)


def _mixed(maps: tf.Tensor, axis: int, at: tf.Tensor) -> tf.Tensor:
    """Return what lies at some places `[count]` of an axis of maps `[B, h, w, C]`, 1 or 2, between its values."""
    low, high, along = _neighbours(at, tf.shape(maps)[axis])
    lower, upper = tf.gather(maps, low, axis=axis), tf.gather(maps, high, axis=axis)
    return lower + (upper - lower) * tf.reshape(along, (-1, *[1] * (3 - axis)))


def _gathered(maps: tf.Tensor, size: Any, window: Any) -> tf.Tensor:
    """Return the part of maps `[..., h, w, C]` that lies in a window, resized to `size`, of plain operations alone."""
    maps, window = tf.convert_to_tensor(maps), tf.convert_to_tensor(window, tf.float32)
    size = tf.convert_to_tensor(size, tf.int32)
    axes = (maps.shape.rank - 3, maps.shape.rank - 2)
    extents = [tf.shape(maps)[axis] for axis in axes]
    places = [_spread(extent, size[i], window[i], window[i + 2]) for i, extent in enumerate(extents)]
    (above, below, down), (left, right, along) = map(_neighbours, places, extents)

    def row(at: tf.Tensor) -> tf.Tensor:
        rows = tf.gather(maps, at, axis=axes[0])  # before they are cast: of a large picture only what is looked at
        first, second = (tf.cast(tf.gather(rows, to, axis=axes[1]), tf.float32) for to in (left, right))
        return first + (second - first) * along[:, None]

    upper = row(above)
    return upper + (row(below) - upper) * down[:, None, None]


def _spread(
    extent: tf.Tensor, count: tf.Tensor, first: tf.Tensor, last: tf.Tensor, some: tf.Tensor | None = None
) -> tf.Tensor:
    """Return where `count` values lie among `extent`, spread from `first` to `last` of them: float32 `[count]`.

    Args:
        extent: how many values there are.
        count: how many are spread.
        first: as a fraction of the extent.
        last: likewise.
        some: numbers of those that are wanted; None for all.
    """
    size = tf.cast(extent, tf.float32)
    # Converters would fold a constant divisor into the places, and round otherwise.
    step = size * (last - first) / tf.maximum(tf.cast(count, tf.float32), -size)
    numbers = tf.range(count) if some is None else some
    return (tf.cast(numbers, tf.float32) + 0.5) * step - 0.5 + first * size


def _neighbours(at: tf.Tensor, extent: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Return between which two of `extent` values each of some places lies.

    Returns:
        The indices of the lower and the upper, int32 `[count]`, and how far it is from the lower to the upper, 0..1.
    """
    low, end = tf.floor(at), tf.cast(extent, tf.float32) - 1.0
    indices = (tf.cast(tf.clip_by_value(each, 0.0, end), tf.int32) for each in (low, low + 1.0))
    return *indices, at - low


def class_map(logits: tf.Tensor, size: Any, window: tf.Tensor | None = None, most: int = BAND) -> tf.Tensor:
    """Return the largest of logits `[B, h, w, C]` in each pixel of a picture, int32 `[B, H, W]`.

    The logits of a large picture, a float for each class of each of its pixels, are never there as a whole: bands of
    its rows are made in turn.

    Args:
        logits: float32, of the network's input.
        size: height and width of the picture; may be a tensor.
        window: y0, x0, y1, x1 of the picture as fractions of the input; None for the whole.
        most: bytes of the logits of a band.
    """
    batch, classes = logits.shape[0], logits.shape[3]

    if PLAIN.get() is not None:
        return _plain_class_map(logits, size, WHOLE if window is None else window)

    def at_once() -> tf.Tensor:
        return _largest(crop_resize(logits, size, window))

    if not tf.is_tensor(size) and (batch or 1) * size[0] * size[1] * classes * FLOAT <= most:
        return at_once()
    height, width = tf.unstack(tf.convert_to_tensor(size, tf.int32))
    row = tf.maximum(tf.shape(logits)[0] * width * classes * FLOAT, 1)
    rows = tf.clip_by_value(most // row, 1, height)

    def in_bands() -> tf.Tensor:
        return _in_bands(logits, tf.stack([height, width]), window, rows)

    return tf.cond(tf.equal(rows, height), at_once, in_bands)


def _plain_class_map(logits: tf.Tensor, size: Any, window: Any) -> tf.Tensor:
    """Return what `class_map` does, of plain operations alone.

    What is interpolated lies along the first axis, whose slices are copied and weighed as a whole: several times as
    fast as pixel by pixel. The columns come first, as long as there are few rows, and classes stay the last axis, the
    only one along which LiteRT is quick to find the largest.
    """
    height, width = tf.unstack(tf.convert_to_tensor(size, tf.int32))
    rows, columns = tf.shape(logits)[1], tf.shape(logits)[2]
    window = tf.convert_to_tensor(window, tf.float32)
    across = _neighbours(_spread(columns, width, window[1], window[3]), columns)
    down = _neighbours(_spread(rows, height, window[0], window[2]), rows)
    wide = _between(tf.transpose(logits, (2, 0, 1, 3)), *across)  # [W, B, h, C]
    if PLAIN.get() and logits.shape[3] <= BYTE:
        return _class_by_class(tf.transpose(wide, (3, 2, 1, 0)), *down)
    whole = _between(tf.transpose(wide, (2, 1, 0, 3)), *down)  # [H, B, W, C]
    return tf.transpose(tf.argmax(whole, axis=-1, output_type=tf.int32), (1, 0, 2))


def _class_by_class(maps: tf.Tensor, low: tf.Tensor, high: tf.Tensor, along: tf.Tensor) -> tf.Tensor:
    """Return which of the maps `[C, h, B, W]` is the largest between neighbours of `h`, int32 `[B, H, W]`."""
    first, *others = (plane[:, :, None] for plane in tf.unstack(maps))  # [h, B, 1, W]
    best = _between(first, low, high, along)
    classes = tf.zeros_like(best, tf.uint8)
    for number, plane in enumerate(others, 1):
        # as it is, but not before the class before it is done: else a runtime may make all of them first, and keep them
        turn = tf.minimum(plane, tf.abs(best[:1, :1, :1, :1]) + tf.float32.max)
        own = _between(turn, low, high, along)
        classes = tf.where(own > best, tf.constant(number, tf.uint8), classes)
        best = tf.maximum(best, own)
    return tf.cast(tf.transpose(classes[:, :, 0], (1, 0, 2)), tf.int32)


def _between(values: tf.Tensor, low: tf.Tensor, high: tf.Tensor, along: tf.Tensor) -> tf.Tensor:
    """Return values `[count, ...]` between neighbours in `[n, ...]`, as `_neighbours` gives them."""
    lower = tf.gather(values, low)
    return lower + (tf.gather(values, high) - lower) * along[:, None, None, None]


def _largest(logits: tf.Tensor) -> tf.Tensor:
    """Return which of logits `[B, H, W, C]` is the largest, int32 `[B, H, W]`.

    Of a matrix they are found in two thirds of the time that four axes take.
    """
    found = tf.argmax(tf.reshape(logits, (-1, logits.shape[-1])), axis=-1, output_type=tf.int32)
    return tf.ensure_shape(tf.reshape(found, tf.shape(logits)[:-1]), logits.shape[:-1])


def _in_bands(logits: tf.Tensor, size: tf.Tensor, window: Any, rows: tf.Tensor) -> tf.Tensor:
    """Return what `class_map` does, made of bands of so many rows."""
    height, width = tf.unstack(size)
    bands = -(-height // rows)
    ids = tf.uint8 if logits.shape[3] <= 256 else tf.int32
    made = tf.TensorArray(ids, bands, element_shape=(logits.shape[0], None, None))

    def band(number: tf.Tensor, made: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        first = number * rows
        resized = _crop_resize(logits, size, window, first, rows)
        return number + 1, made.write(number, tf.cast(_largest(resized), ids))

    start = (tf.constant(0), made)
    _, made = tf.while_loop(lambda number, _: number < bands, band, start, parallel_iterations=1)
    stacked = made.stack()
    if logits.shape[0] != 1:
        stacked = tf.transpose(stacked, (1, 0, 2, 3))
    joined = tf.reshape(stacked, (tf.shape(logits)[0], bands * rows, width))
    return tf.cast(joined[:, :height], tf.int32)


def map_boxes(
    boxes: tf.Tensor,
    input_size: tuple[int, int],
    image_size: tuple[int, int] | tf.Tensor,
    window: tf.Tensor | None = None,
) -> tf.Tensor:
    """Map boxes `[..., 4]` from pixels of the network's input to pixels of a picture that fills `window` of it.

    Args:
        input_size: height and width of the network's input.
        image_size: height and width of the picture; may be a tensor.
        window: y0, x0, y1, x1 as fractions of the input; None for the whole.

    Returns:
        Boxes clipped to the picture.
    """
    window = tf.convert_to_tensor(WHOLE if window is None else window, tf.float32)
    origin = tf.stack([window[1], window[0]] * 2)
    extent = tf.stack([window[3] - window[1], window[2] - window[0]] * 2)
    height, width = tf.unstack(tf.cast(tf.convert_to_tensor(image_size), tf.float32))
    limit = tf.stack([width, height, width, height])
    fractions = boxes / tf.constant([input_size[1], input_size[0]] * 2, tf.float32)
    return tf.clip_by_value((fractions - origin) / extent * limit, 0.0, limit)
