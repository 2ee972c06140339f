"""A function of each picture tried in graph: where an operation of it fails, there is something else in its place."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

DAMAGED = "The picture cannot be decoded: it is truncated or damaged, or has too many pixels."


def attempts(function: Callable[..., Any], given: Any, otherwise: Any) -> Any:
    """Return what a function makes of each row of tensors, or `otherwise` where it fails: a graph has no other way on.

    One data set tries them all, for to make one ready costs more than a small picture.

    Args:
        function: of operations alone; its results have known shapes, alike for all.
        given: a tuple of what it takes: tensors `[B, ...]`.
        otherwise: tensors of the same structure, types and shapes as a result.

    Returns:
        The results, stacked.

    Example:
        >>> attempts(tf.strings.to_number, (tf.constant(["1", "one", "2"]),), 0.0).numpy().tolist()
        [1.0, 0.0, 2.0]
    """
    count = tf.shape(given[0])[0]
    rows = tf.data.Dataset.from_tensor_slices((tf.range(count), given))
    tried = rows.map(lambda place, row: (place, function(*row))).ignore_errors()
    both = tried.concatenate(tf.data.Dataset.from_tensors((count, otherwise))).batch(tf.cast(count, tf.int64) + 1)
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    places, made = both.with_options(options).get_single_element()
    spare = tf.size(places) - 1  # where `otherwise` is
    chosen = tf.tensor_scatter_nd_update(tf.fill((count,), spare), places[:-1, None], tf.range(spare))
    return tf.nest.map_structure(lambda results: tf.gather(results, chosen), made)
