"""Where each picture lands in the image, and how its pixels, masks and boxes are taken there together.

A placement is an affine map, held as two integer windows (y, x, height, width): `source` of the picture is resized to
fill `target` of the image, which is then turned by the angle `turn` about its centre and mirrored if `flip` is set.
Without a turn, whole pixels make the map of the boxes exactly that of the pixels, and let the fastest sampler do the
work: slice, resize, pad is 1.6 times as fast as crop_and_resize, 2.5 times as ScaleAndTranslate and 3 to 4 times as
ImageProjectiveTransformV3 (benchmarks/pipeline.py), which turned pictures need.
"""

from typing import Any, NamedTuple

import tensorflow as tf

GREY = 114  # what surrounds a picture that does not fill the image


Size = tuple[int, int] | Any  # height and width of an image in pixels; a tensor int32 `[2]` of a part of one


class Cut(NamedTuple):
    """What becomes of objects that are seen in part, as the image cuts them off or something lies over them.

    Args:
        least: the fraction of its area of which an object must be seen to stay one.
        ignore: whether what is seen of others is a region to ignore; else it is nothing.
    """

    least: float = 0.25
    ignore: bool = False


class Placement(NamedTuple):
    """`source` and `target` int32 `[..., 4]`: y, x, height, width in pixels; `flip` bool and `turn` float32 `[...]`.

    An angle is in radians, from the x axis towards the y axis: clockwise as one looks at the image.
    """

    source: tf.Tensor
    target: tf.Tensor
    flip: tf.Tensor
    turn: tf.Tensor


def whole(shapes: tf.Tensor, size: tuple[int, int], resize: str) -> Placement:
    """Place whole pictures.

    Args:
        shapes: int32 `[..., 2]`, height and width of each picture in pixels.
        size: height and width of the image in pixels.
        resize: "stretch" fills the image; "letterbox" keeps the proportions and centres the picture.
    """
    full = tf.constant(size, tf.int32)
    inner = letterboxed(shapes, size) if resize == "letterbox" else tf.broadcast_to(full, tf.shape(shapes))
    source = tf.concat([tf.zeros_like(shapes), shapes], axis=-1)
    target = tf.concat([(full - inner) // 2, inner], axis=-1)
    none = tf.shape(shapes)[:-1]
    return Placement(source, target, tf.zeros(none, tf.bool), tf.zeros(none))


def letterboxed(shapes: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Return how large pictures are that keep their proportions in an image: height and width, int32 `[..., 2]`.

    Args:
        shapes: int32 `[..., 2]`, height and width of each picture in pixels.
        size: height and width of the image in pixels.
    """
    extent = tf.cast(shapes, tf.float32)
    scale = tf.reduce_min(tf.constant(size, tf.float32) / extent, axis=-1, keepdims=True)
    return tf.clip_by_value(tf.cast(tf.round(extent * scale), tf.int32), 1, tf.constant(size, tf.int32))


def zoom(placement: Placement, size: Size, factor: tf.Tensor, position: tf.Tensor) -> Placement:
    """Enlarge or shrink placed pictures: what outgrows the image is cropped to it, what does not fill it is padded.

    Args:
        placement: from `whole`.
        size: height and width of the image in pixels, or of what is filled for each, float32 `[..., 2]`.
        factor: float32 `[...]`: 2 doubles each side.
        position: float32 `[..., 2]` in 0..1: where the crop or the picture lies, vertically and horizontally.
    """
    picture = tf.cast(placement.source[..., 2:], tf.float32)
    full = tf.cast(size, tf.float32)
    enlarged = tf.cast(placement.target[..., 2:], tf.float32) * factor[..., None]
    shown = tf.minimum(enlarged, full)
    inner = tf.maximum(tf.round(shown), 1.0)
    crop = tf.maximum(tf.round(picture * shown / enlarged), 1.0)
    source = tf.concat([tf.round(position * (picture - crop)), crop], axis=-1)
    target = tf.concat([tf.round(position * (full - inner)), inner], axis=-1)
    return placement._replace(source=tf.cast(source, tf.int32), target=tf.cast(target, tf.int32))


def sample_image(image: tf.Tensor, placement: Placement, size: Size, shape: tf.Tensor | None = None) -> tf.Tensor:
    """Take the pixels of one picture uint8 `[h, w, C]` to their place in `[H, W, C]`, amid grey; bilinear.

    Args:
        image: the picture.
        placement: where to.
        size: height and width of the image in pixels.
        shape: height and width int32 `[2]` of the picture as the placement has it, where it was read smaller; its
            window is then that to the nearest pixel.
    """
    start, extent = tf.split(placement.source, 2)
    if shape is not None:
        read = tf.shape(image)[:2]
        factor = tf.cast(read, tf.float32) / tf.cast(shape, tf.float32)
        first, last = (tf.cast(tf.round(tf.cast(x, tf.float32) * factor), tf.int32) for x in (start, start + extent))
        start = tf.minimum(first, read - 1)
        extent = tf.maximum(tf.minimum(last, read) - start, 1)
    crop = tf.slice(image, tf.pad(start, [[0, 1]]), tf.pad(extent, [[0, 1]], constant_values=-1))
    crop = tf.ensure_shape(crop, [None, None, image.shape[-1]])
    resized = tf.raw_ops.ResizeBilinear(images=crop[None], size=placement.target[2:], half_pixel_centers=True)[0]
    return _pad(tf.cast(resized + 0.5, tf.uint8), placement, size, GREY)


def sample_map(values: tf.Tensor, placement: Placement, size: Size, outside: float) -> tf.Tensor:
    """Take one mask or depth map `[h, w, 1]` to its place in `[H, W, 1]`, amid `outside`; nearest.

    No value is mixed of two: a class between two classes is another one, and a depth between two surfaces is nowhere.
    Rows are gathered, then columns as rows of the transposed mask: four times as fast as ResizeNearestNeighbor.
    """
    source, inners = tf.unstack(placement.source), tf.unstack(placement.target)[2:]
    sides = zip(source[:2], source[2:], inners, strict=True)
    rows, columns = (start + (2 * tf.range(inner) + 1) * extent // (2 * inner) for start, extent, inner in sides)
    sampled = tf.transpose(tf.gather(tf.transpose(tf.gather(values[..., 0], rows)), columns))
    return _pad(sampled[..., None], placement, size, outside)


def warp(
    picture: tf.Tensor,
    placement: Placement,
    size: Size,
    outside: float,
    smooth: bool,
    shape: tf.Tensor | None = None,
) -> tf.Tensor:
    """Take a picture or map `[h, w, C]` to its place, turned, in `[H, W, C]`, amid `outside`.

    What is turned into the image is shown, also what lies beyond the source window.

    Args:
        picture: of numbers of any kind.
        placement: where to.
        size: height and width of the image in pixels.
        outside: the value of what lies beyond the picture.
        smooth: whether values are mixed (bilinear) or that of the nearest pixel is taken.
        shape: as of `sample_image`.
    """
    factor = tf.ones([2])
    if shape is not None:
        factor = tf.cast(tf.shape(picture)[:2], tf.float32) / tf.cast(shape, tf.float32)
    values = tf.cast(picture, tf.float32) + 0.5 if smooth else picture
    warped = tf.raw_ops.ImageProjectiveTransformV3(
        images=values[None],
        transforms=_matrix(placement, size, factor)[None],
        output_shape=tf.convert_to_tensor(size, tf.int32),
        fill_value=tf.constant(outside, tf.float32) + (0.5 if smooth else 0.0),
        interpolation="BILINEAR" if smooth else "NEAREST",
        fill_mode="CONSTANT",
    )[0]
    return tf.ensure_shape(tf.cast(warped, picture.dtype), [*_sides(size), picture.shape[-1]])


def _sides(size: Size) -> list[int | None]:
    """Height and width as far as they are known while a graph is traced."""
    return [None, None] if isinstance(size, tf.Tensor) else list(size)


def _matrix(placement: Placement, size: Size, factor: tf.Tensor) -> tf.Tensor:
    """The map from places in the image to places in the picture, both by whole pixels: float32 `[8]`, as TensorFlow's.

    The centre of a pixel lies half a pixel from where it is counted. The picture's sides are `factor` times those that
    the placement has.
    """
    source, target = tf.cast(placement.source, tf.float32), tf.cast(placement.target, tf.float32)
    source *= tf.tile(factor, [2])
    y, x = tf.unstack(tf.cast(size, tf.float32) / 2.0)
    cos, sin = tf.cos(placement.turn), tf.sin(placement.turn)
    down, right = tf.unstack(source[2:] / target[2:])
    row = [right * cos, right * sin, right * (cos * (0.5 - x) + sin * (0.5 - y) + x - target[1]) + source[1] - 0.5]
    column = [-down * sin, down * cos, down * (cos * (0.5 - y) - sin * (0.5 - x) + y - target[0]) + source[0] - 0.5]
    return tf.stack([*row, *column, 0.0, 0.0])


def _pad(picture: tf.Tensor, placement: Placement, size: Size, value: float) -> tf.Tensor:
    """Surround a picture of the size of `placement.target` with `value`, to `[H, W, C]`."""
    before, channels = placement.target[:2], picture.shape[-1]
    after = tf.convert_to_tensor(size, tf.int32) - before - placement.target[2:]
    sides = tf.pad(tf.stack([before, after], axis=1), [[0, 1], [0, 0]])
    padded = tf.pad(picture, sides, constant_values=tf.constant(value, picture.dtype))
    return tf.ensure_shape(padded, [*_sides(size), channels])


def mirror(picture: tf.Tensor, flip: tf.Tensor) -> tf.Tensor:
    """Mirror an image, mask or depth map `[H, W, C]` left to right if the scalar `flip` is set."""

    def mirrored() -> tf.Tensor:
        if picture.shape[-1] > 1:
            return tf.reverse(picture, [1])
        columns = tf.transpose(picture[..., 0])  # to reverse whole rows is faster than single bytes
        return tf.transpose(tf.reverse(columns, [0]))[..., None]

    return tf.cond(flip, mirrored, lambda: picture)
