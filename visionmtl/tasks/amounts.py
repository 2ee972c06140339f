"""A loss by how much is in a whole batch, as objects, in place of by image."""

from typing import NamedTuple

import tensorflow as tf


class ByAmount(NamedTuple):
    """What a task's `loss` may return in place of a loss a sample: sums over what is in each sample, and how much.

    The model divides the sums by the mean amount of the samples that are labelled in the whole batch, on all replicas:
    an object counts alike wherever it is. Where the batch holds less than 1 in all, it counts as 1.

    Attributes:
        sums: `[B]`, of the losses of what is in each sample; or `[B, T]` of T terms, each divided by its own amount.
        amounts: of the same shape, how much that is, at least 0; a constant to the gradient.
    """

    sums: tf.Tensor
    amounts: tf.Tensor
