"""Boxes in the pixels of a picture."""

import tensorflow as tf

from visionmtl.images.resizing import WHOLE


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
