"""Values of labels that cannot be: what each looks like in a batch, and the sentence that says what to do.

In the sentences `{}` stands for a value that was found. Only samples of a weight above 0 are looked at.
"""

import tensorflow as tf

from visionmtl.tasks.forms import NO_CLASS

Found = dict[str, tuple[tf.Tensor, tf.Tensor]]  # by sentence: whether it is there, and a value that shows it


def ids(task: str, labels: tf.Tensor, classes: int, known: tf.Tensor, ignored: tuple[int, ...]) -> Found:
    """Look for class ids of no class, as those that are counted from 1 have.

    Args:
        task: whose labels they are.
        labels: integers of any shape.
        classes: how many there are.
        known: bool that broadcasts with labels, where they are learnt from.
        ignored: the values that are no class and may be there.
    """
    none = known & (labels == NO_CLASS)
    wrong = known & ((labels < 0) | (labels >= classes)) & ~none
    for value in ignored:
        wrong &= labels != value
    also = f" or {' or '.join(map(str, ignored))}" if ignored else ""
    sentence = (
        f"The labels of '{task}' have the class id {{}}: expected 0 to {classes - 1}{also}. Count classes from 0, or "
        "give the task as many classes as there are."
    )
    other = (
        f"The labels of '{task}' hold what is no class id: a number that is not whole, NaN, or a row of {classes} that "
        "has not one 1 and else 0. Several classes are a task of multi_label; soft labels are the option "
        "label_smoothing."
    )
    return {
        other: (tf.reduce_any(none), tf.constant(0.0)),
        sentence: (tf.reduce_any(wrong), _first(labels, wrong)),
    }


def range_of(task: str, labels: tf.Tensor, low: float, known: tf.Tensor, high: float, meaning: str) -> Found:
    """Look for numbers outside a range; `meaning` says what is expected."""
    wrong = known & ((labels < low) | (labels > high))
    return {
        f"The labels of '{task}' have the value {{}}: expected {meaning}.": (
            tf.reduce_any(wrong),
            _first(labels, wrong),
        )
    }


def corners(task: str, boxes: tf.Tensor, real: tf.Tensor, size: tuple[int, int]) -> Found:
    """Look for boxes in fractions of the image, with corners swapped or as width and height, empty, or outside.

    Args:
        task: whose labels they are.
        boxes: float32 `[B, M, 4]`.
        real: bool `[B, M]`, which rows are objects.
        size: height and width of the images in pixels.
    """
    form = "expected x_min, y_min, x_max, y_max in pixels of the image"
    sides = boxes[..., 2:] - boxes[..., :2]
    swapped = real & tf.reduce_any(sides < 0, axis=-1)
    largest = tf.reduce_max(tf.where(real[..., None], boxes, 0.0)) if boxes.shape[1] != 0 else tf.constant(0.0)
    fractions = (largest > 0.0) & (largest <= 1.0)
    limit = tf.constant([size[1], size[0]], tf.float32)
    centres = (boxes[..., 2:] + boxes[..., :2]) / 2  # boxes may stick out; mostly outside are those of another size
    outside = real[..., None] & ((centres > limit) | (centres < 0))
    empty = real & tf.reduce_any(sides == 0, axis=-1)
    unfinished = real[..., None] & ~tf.math.is_finite(boxes)
    return {
        f"The boxes of '{task}' have no number larger than {{}}, as fractions of 1 do: {form}; multiply by its size.": (
            fractions,
            largest,
        ),
        f"A box of '{task}' has a side of {{}} pixels: {form}, not the corners swapped nor width and height.": (
            tf.reduce_any(swapped),
            _first(tf.reduce_min(sides, axis=-1), swapped),
        ),
        f"A box of '{task}' has a side of {{}} pixels: {form}. Rows that only fill up have the class -1.": (
            tf.reduce_any(empty),
            tf.constant(0.0),
        ),
        f"A box of '{task}' has its centre at {{}}, outside its image of {size[1]} x {size[0]}: {form}, of the size at "
        "which it is given.": (
            tf.reduce_any(outside),
            _first(centres, outside),
        ),
        f"A box of '{task}' has a corner at {{}}: {form}.": (tf.reduce_any(unfinished), _first(boxes, unfinished)),
    }


def of_weights(task: str, weights: tf.Tensor) -> Found:
    """Look for weights of samples that are negative or no number."""
    wrong = ~(weights >= 0) | tf.math.is_inf(weights)
    return {
        f"The weights of '{task}' have the number {{}}: expected at least 0, which is for a sample without a label.": (
            tf.reduce_any(wrong),
            _first(weights, wrong),
        )
    }


def of_images(images: tf.Tensor) -> Found:
    """Look for images that are scaled otherwise: in 0..1, about 0, or of 16 bits."""
    images = tf.cast(images, tf.float32)
    least, most = tf.reduce_min(images), tf.reduce_max(images)
    return {
        "The images have no number larger than {}: expected 0 to 255, which the model scales itself; do not divide.": (
            (most <= 1.0) & (most > 0.0) & (least >= 0.0),
            most,
        ),
        "The images have the number {}: expected 0 to 255, which the model scales itself; do not normalise.": (
            least < 0.0,
            least,
        ),
        "The images have the number {}: expected 0 to 255; divide pictures of 16 bits by 257.": (most > 256.0, most),
    }


def unfinished(images: tf.Tensor) -> Found:
    """Look for images some of whose numbers are NaN or infinite, which nothing would be seen in."""
    if not images.dtype.is_floating:
        return {}
    wrong = ~tf.reduce_all(tf.math.is_finite(images))
    return {"The images have numbers that are NaN or infinite: expected 0 to 255.": (wrong, tf.constant(0.0))}


def _first(values: tf.Tensor, where: tf.Tensor) -> tf.Tensor:
    """Return one of the values that are wrong, the largest, as float32 `[]`; 0 where none is."""
    values = tf.cast(values, tf.float32)
    worst = tf.reduce_max(tf.where(where, values, values.dtype.min)) if values.shape.num_elements() != 0 else 0.0
    return tf.where(tf.reduce_any(where), worst, 0.0)
