"""What a detection's head says of every cell of every level, level after level, and which levels it takes."""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import tensorflow as tf

from visionmtl.tasks import boxes

BINS = 8  # a side's distance is a distribution over 0..7 strides


class Cells(NamedTuple):
    """The cells of a batch.

    Attributes:
        logits: of scores, `[B, N, C]`.
        distances: logits of the distributions of the sides' distances in strides, `[B, N, 4, BINS]`.
        centres: `[N, 2]` as x, y in pixels of the network's input.
        steps: the stride `[N]` of each.
        size: height and width of the network's input in pixels.
    """

    logits: tf.Tensor
    distances: tf.Tensor
    centres: tf.Tensor
    steps: tf.Tensor
    size: tuple[int, int]

    def boxes(self) -> tf.Tensor:
        """Return the box of each cell, `[B, N, 4]`."""
        return placed(self.distances, self.centres, self.steps)


def unpack(outputs: Mapping[str, tf.Tensor], classes: int, head: str = "") -> Cells:
    """Return the cells that raw outputs tell of.

    Args:
        outputs: by level, such as P2, `P2_scores` and `P2_distances`.
        classes: how many there are.
        head: begins the words after the level, where a task has heads beside its own.
    """
    levels = by_stride({key.split("_")[0] for key in outputs if "_" in key})
    shapes = [outputs[f"{level}_{head}scores"].shape[1:3] for level in levels]
    size = (shapes[0][0] * stride(levels[0]), shapes[0][1] * stride(levels[0]))
    centres, steps = boxes.points(shapes, [stride(level) for level in levels], size)

    def join(kind: str, *shape: int) -> tf.Tensor:
        maps = [outputs[f"{level}_{head}{kind}"] for level in levels]
        flat = [tf.reshape(x, (tf.shape(x)[0], math.prod(x.shape[1:3]), *shape)) for x in maps]
        return tf.cast(tf.concat(flat, axis=1), tf.float32)

    return Cells(join("scores", classes), join("distances", 4, BINS), centres, steps, size)


def placed(distances: tf.Tensor, centres: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Return boxes `[..., 4]` from the expected distance of each side; `distances` are logits `[..., 4, BINS]`."""
    expected = tf.reduce_sum(tf.nn.softmax(distances) * tf.range(BINS, dtype=tf.float32), axis=-1)
    return boxes.from_distances(centres, expected * steps[:, None])


def stride(level: str) -> int:
    """Return the pixels between neighbouring cells of a level: 4 for "P2", doubling with each."""
    return 2 ** int(level[1:])


def by_stride(levels: Iterable[str]) -> list[str]:
    """Return levels from the finest to the coarsest, P10 after P9."""
    return sorted(levels, key=stride)


def missing(levels: Iterable[str], size: tuple[int, int]) -> int:
    """Return how many levels coarser than these it takes to reach both ends of an image from a cell in its middle.

    A cell reaches `BINS - 1` strides, and lies up to half a stride off the middle.

    Args:
        levels: that there are.
        size: height and width of the image in pixels.

    Example:
        >>> [missing(["P4", "P5"], size) for size in [(288, 384), (480, 640), (1024, 32)]]
        [0, 1, 2]
    """
    needed = max(size) / (2 * (BINS - 1) - 1)
    return max(0, math.ceil(math.log2(needed / max(map(stride, levels)))))
