"""A function of one picture tried in graph: where an operation of it fails, there is something else in its place."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

DAMAGED = "The picture cannot be decoded: it is truncated or damaged, or has too many pixels."


def attempt(function: Callable[..., Any], given: Any, otherwise: Any) -> Any:
    """Return what a function makes of tensors, or `otherwise` where it fails: a graph has no other way to go on.

    Args:
        function: of operations alone; a few, for it is made ready anew each time.
        given: what it takes: a tensor, or a tuple of them.
        otherwise: tensors of the same structure, types and ranks.

    Example:
        >>> attempt(tf.io.decode_png, tf.constant(b"no picture"), tf.zeros((1, 1, 1), tf.uint8)).shape
        TensorShape([1, 1, 1])
    """
    tried = tf.data.Dataset.from_tensors(given).map(function).ignore_errors()
    both = tried.concatenate(tf.data.Dataset.from_tensors(otherwise)).take(1)
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return both.with_options(options).get_single_element()
