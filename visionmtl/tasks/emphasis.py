"""Which pixels of a mask count more than others: those of rare classes, those near another class, the hardest."""

import tensorflow as tf

from pipelines.kinds.spec import IGNORE

HALVINGS = 12  # of the interval that a threshold is looked for in; its error is below a thousandth of the largest loss


def by_class(target: tf.Tensor, weight: tf.Tensor, class_weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return distributions over the classes and pixels' weights in which each class counts so many times.

    The mean cross-entropy of the result is that of single pixels, each weighted by its class.

    Args:
        target: distribution over the classes of what each cell covers, float32 `[B, h, w, C]`.
        weight: how much each cell counts, float32 `[B, h, w]`.
        class_weights: of each class, float32 `[C]`.

    Reference: Eigen and Fergus 2015, Predicting Depth, Surface Normals and Semantic Labels, section 6.3.2 (median
    frequency balancing); Paszke et al. 2016, ENet, section 4 (1 / log(1.02 + frequency)).
    """
    weighted = target * class_weights
    total = tf.reduce_sum(weighted, axis=-1)
    return tf.math.divide_no_nan(weighted, total[..., None]), weight * total


def near_boundary(labels: tf.Tensor, cell: int = 2) -> tf.Tensor:
    """Return 1 for each cell that has two classes in it or in the cells around it, else 0, float32 `[B, h, w]`.

    Unlabelled pixels are no class: beside them there is no boundary.

    Args:
        labels: class of each pixel, integers `[B, H, W]`, 255 for unlabelled.
        cell: pixels on its side.
    """
    labels = tf.cast(labels, tf.int32)
    known = labels != IGNORE
    highest = tf.where(known, labels, -1)
    lowest = tf.where(known, -labels, -IGNORE)
    both = tf.cast(tf.stack([highest, lowest], axis=-1), tf.float32)
    both = tf.nn.max_pool2d(tf.nn.max_pool2d(both, cell, cell, padding="SAME"), 3, 1, padding="SAME")
    # The largest class, and the negative of the smallest: 0 in sum where there is but one, below where there is none.
    return tf.cast(tf.reduce_sum(both, axis=-1) > 0, tf.float32)


def hardest(loss: tf.Tensor, weight: tf.Tensor, fraction: float) -> tf.Tensor:
    """Return 1 for the cells of each image with the largest losses, else 0, float32 `[B, h, w]`.

    The threshold that parts them is found by halving an interval, which takes a few sums in place of a sort.

    Args:
        loss: of each cell, float32 `[B, h, w]`, at least 0.
        weight: how much each cell counts, float32 `[B, h, w]`.
        fraction: of the sum of weights, what is kept at the least; equal losses are kept or left together.

    Reference: Wu et al. 2016, Bridging Category-level and Instance-level Semantic Image Segmentation, section 4
    (bootstrapping); Yang et al. 2019, DeeperLab, section 3.2 (the hardest 15% of an image's pixels).
    """
    loss = tf.stop_gradient(tf.where(weight > 0, loss, -1.0))
    enough = fraction * tf.reduce_sum(weight, axis=(1, 2), keepdims=True)
    low = tf.zeros_like(enough)
    high = tf.maximum(tf.reduce_max(loss, axis=(1, 2), keepdims=True), 0.0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        kept = tf.reduce_sum(tf.where(loss >= middle, weight, 0.0), axis=(1, 2), keepdims=True)
        low, high = tf.where(kept >= enough, middle, low), tf.where(kept >= enough, high, middle)
    return tf.cast(loss >= low, tf.float32)
