"""The statistics of batch normalisation in a merged backbone: the mean of the runs', or measured anew."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf

from visionmtl.merging.task_vectors import Arrays


def means(trained: Sequence[Arrays]) -> Arrays:
    """Return the mean of each variable over models."""
    return [np.mean(parts, axis=0, dtype=np.float64).astype(parts[0].dtype) for parts in zip(*trained, strict=True)]


def measure(stages: Sequence[keras.Model], batches: Iterable[np.ndarray]) -> int:
    """Set the statistics of consecutive stages to the mean over batches, as they pass in training; return how many.

    A merged network's maps have other means and variances than those of the networks it was made of, whose mean they
    are not either. With no batch the statistics stay.

    Args:
        stages: of a backbone, image -> P2 -> P3 -> ...
        batches: of images `[B, H, W, 3]`.

    Reference: Jordan et al. 2023, REPAIR: REnormalizing Permuted Activations for Interpolation Repair, section 3
        (statistics after merging); Izmailov et al. 2018, Averaging Weights Leads to Wider Optima (by a pass over data).
    """
    layers = [layer for stage in stages for layer in stage._flatten_layers()]
    found = {id(each): each for each in layers if isinstance(each, keras.layers.BatchNormalization)}
    momenta = {name: each.momentum for name, each in found.items()}
    count = 0
    for images in batches:
        for each in found.values():
            each.momentum = count / (count + 1)  # so that what is kept is the mean of all batches so far
        x = tf.cast(images, tf.float32)
        for stage in stages:
            x = stage(x, training=True)
        count += 1
    for name, each in found.items():
        each.momentum = momenta[name]
    return count
