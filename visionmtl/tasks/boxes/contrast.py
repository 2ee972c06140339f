"""How much more of what a map shows lies in a box than around it."""

import tensorflow as tf

LEAST = 1e-3  # square cells: no mean is taken over less


def contrast(boxes: tf.Tensor, maps: tf.Tensor, ring: tuple[float, float]) -> tf.Tensor:
    """Return the mean of maps within boxes less their mean in a ring around them; what is outside the maps is neither.

    A box that holds all of a region and nothing else has the most that there is: one too small has some of it in its
    ring, one too large has some of the ground within.

    Args:
        boxes: `[B, N, 4]`, in cells of the maps.
        maps: `[B, h, w, C]`, in 0..1.
        ring: height and width of the ring's sides, in cells of the maps.

    Returns:
        `[B, N, C]` in -1..1.

    Example:
        >>> region = tf.pad(tf.ones((1, 2, 2, 1)), [[0, 0], [3, 3], [3, 3], [0, 0]])
        >>> boxes = tf.constant([[[3.0, 3, 5, 5], [3, 3, 5, 4], [3, 3, 5, 6]]])
        >>> contrast(boxes, region, (1.0, 1.0))[0, :, 0].numpy().round(2).tolist()
        [1.0, 0.8, 0.67]
    """
    height, width = tf.unstack(tf.cast(tf.shape(maps)[1:3], tf.float32))
    sums = tf.cumsum(tf.cumsum(tf.cast(maps, tf.float32), axis=1), axis=2)
    sums = tf.pad(sums, [[0, 0], [1, 0], [1, 0], [0, 0]])
    edges = tf.stack([width, height, width, height])
    grown = boxes + tf.constant([-ring[1], -ring[0], ring[1], ring[0]])
    inner, outer = (tf.clip_by_value(each, 0.0, edges) for each in (boxes, grown))
    held, size = _within(inner, sums), _area(inner)
    around = (_within(outer, sums) - held) / tf.maximum(_area(outer) - size, LEAST)
    return held / tf.maximum(size, LEAST) - around


def _area(boxes: tf.Tensor) -> tf.Tensor:
    return tf.reduce_prod(tf.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), axis=-1, keepdims=True)


def _within(boxes: tf.Tensor, sums: tf.Tensor) -> tf.Tensor:
    """Return sums over boxes `[B, N, C]`, from sums `[B, h + 1, w + 1, C]` over all that is above and to the left."""
    left, top, right, bottom = tf.unstack(boxes, axis=-1)
    right, bottom = tf.maximum(left, right), tf.maximum(top, bottom)
    return _at(right, bottom, sums) - _at(left, bottom, sums) - _at(right, top, sums) + _at(left, top, sums)


def _at(x: tf.Tensor, y: tf.Tensor, sums: tf.Tensor) -> tf.Tensor:
    """Return sums `[B, N, C]` at places between the grid's lines, each cell spread evenly."""
    rows, columns = tf.unstack(tf.shape(sums)[1:3])
    flat = tf.reshape(sums, (tf.shape(sums)[0], rows * columns, sums.shape[-1]))
    column = tf.minimum(tf.cast(x, tf.int32), columns - 2)
    row = tf.minimum(tf.cast(y, tf.int32), rows - 2)
    across, down = (x - tf.cast(column, tf.float32))[..., None], (y - tf.cast(row, tf.float32))[..., None]
    first = row * columns + column

    def line(start: tf.Tensor) -> tf.Tensor:
        before, after = (tf.gather(flat, start + step, batch_dims=1) for step in (0, 1))
        return before + across * (after - before)

    upper, lower = line(first), line(first + columns)
    return upper + down * (lower - upper)
