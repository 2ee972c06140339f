"""Which pixels of a picture are laid over another: some of its objects, or all of some classes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from pipelines.kinds.kind import Kind
from pipelines.pixels.windows import Cover

MOST = 8  # objects of one picture that are pasted
LEAST_PIXELS = 0.1  # of an object's box that must be of its class for a mask to tell the object
BESIDE = 0.25  # of another object's box that lies in a pasted one's from which on it is seen in it


class Pasted(NamedTuple):
    """What of a picture is pasted.

    Args:
        cover: its pixels.
        rows: of each task with objects, which of them are kept and which are regions to ignore: bool `[M]` each.
        classes: by name, whether any pixel is of the class, bool `[]`.
    """

    cover: Cover
    rows: dict[str, tuple[tf.Tensor, tf.Tensor]]
    classes: dict[str, tf.Tensor]


def paste(kinds: Mapping[str, Kind], part: Any, numbers: tf.Tensor) -> Pasted:
    """Choose what of a picture is pasted.

    Args:
        kinds: of the labels.
        part: the picture in place: `maps`, `rows` and `weights` by task.
        numbers: int32 `[2]`, from which all that is random follows.
    """
    painter = next((name for name, kind in kinds.items() if kind.paints), None)
    owner = next((name for name, kind in kinds.items() if kind.has_objects), None)
    shape = part["image"].shape[:2]
    mask, rows, classes = tf.zeros(shape, tf.bool), {}, {}
    if owner is not None:
        boxes, ids = kinds[owner].objects(part["rows"][owner])
        top, on = _some((ids >= 0) & (part["weights"][owner] > 0), numbers, min(MOST, ids.shape[0]))
        boxes_on, ids_on = tf.gather(boxes, top), tf.gather(ids, top)
        inside = _inside(boxes_on, shape) & on[:, None, None]
        by_mask = tf.zeros_like(on)
        if painter is not None:
            names = kinds[painter].classes
            table = tf.constant([names.index(c) if c in names else -1 for c in kinds[owner].classes])
            painted = tf.gather(table, tf.maximum(ids_on, 0))
            by_mask = (painted >= 0) & (part["weights"][painter] > 0)
            own = tf.cast(part["maps"][painter][""][None, ..., 0], tf.int32) == painted[:, None, None]
            area = tf.reduce_sum(tf.cast(inside, tf.float32), [1, 2])
            inside &= own | ~by_mask[:, None, None]
            on &= tf.reduce_sum(tf.cast(inside, tf.float32), [1, 2]) >= LEAST_PIXELS * tf.maximum(area, 1.0)
            inside &= on[:, None, None]
        mask = tf.reduce_any(inside, axis=0)
        kept = tf.reduce_any((top[:, None] == tf.range(ids.shape[0])) & on[:, None], axis=0)
        classes = {c: tf.reduce_any(on & (ids_on == k)) for k, c in enumerate(kinds[owner].classes)}
        for name, kind in kinds.items():
            if kind.has_objects:
                others, own_ids = kind.objects(part["rows"][name])
                beside = (_common(others, boxes_on) >= BESIDE) & on
                if name == owner:
                    beside &= ~by_mask | (own_ids[:, None] == ids_on)
                    rows[name] = kept, tf.reduce_any(beside, axis=1) & ~kept
                else:
                    rows[name] = tf.zeros_like(own_ids, tf.bool), tf.reduce_any(beside, axis=1)
    elif painter is not None:
        ids = tf.cast(part["maps"][painter][""][..., 0], tf.int32)
        known = len(kinds[painter].classes)
        there = tf.math.bincount(tf.reshape(ids, [-1]), minlength=known, maxlength=known) > 0
        half = tf.reduce_sum(tf.cast(there, tf.int32)) // 2
        keys = tf.where(there, tf.random.stateless_uniform([known], numbers), 2.0)
        chosen = tf.argsort(tf.argsort(keys)) < half
        mask = tf.gather(tf.pad(chosen, [[0, 256 - known]]), ids) & (part["weights"][painter] > 0)
        classes = {name: chosen[k] for k, name in enumerate(kinds[painter].classes)}
    return Pasted(Cover(_window(mask), mask), rows, classes)


def _some(there: tf.Tensor, numbers: tf.Tensor, most: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Places of half, rounded up, but at most `most`, of what is there, int32 `[most]`, and which of them count."""
    keys = tf.where(there, tf.random.stateless_uniform(there.shape, numbers), 2.0)
    half = (tf.reduce_sum(tf.cast(there, tf.int32)) + 1) // 2
    return tf.argsort(keys)[:most], tf.range(most) < half


def _inside(boxes: tf.Tensor, shape: tuple[int, int]) -> tf.Tensor:
    """Which pixels are in each box: bool `[K, H, W]`."""
    x_min, y_min, x_max, y_max = tf.unstack(tf.round(boxes), axis=1)
    y, x = (tf.range(side, dtype=tf.float32) for side in shape)
    rows = (y >= y_min[:, None]) & (y < y_max[:, None])
    columns = (x >= x_min[:, None]) & (x < x_max[:, None])
    return rows[:, :, None] & columns[:, None, :]


def _common(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """The fraction of each box `[M, 4]` that lies in each other `[K, 4]`: `[M, K]`."""
    least = tf.minimum(boxes[:, None, 2:], others[:, 2:]) - tf.maximum(boxes[:, None, :2], others[:, :2])
    area = tf.reduce_prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return tf.reduce_prod(tf.maximum(least, 0.0), axis=2) / tf.maximum(area, 1e-6)[:, None]


def _window(mask: tf.Tensor) -> tf.Tensor:
    """The smallest window that holds all pixels of a mask, int32 `[4]`; zeros if there are none."""

    def span(line: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        line = tf.cast(line, tf.int32)
        first = tf.argmax(line, output_type=tf.int32)
        return first, line.shape[0] - tf.argmax(tf.reverse(line, [0]), output_type=tf.int32) - first

    (y, height), (x, width) = (span(tf.reduce_any(mask, axis=axis)) for axis in (1, 0))
    return tf.where(tf.reduce_any(mask), tf.stack([y, x, height, width]), 0)
