"""The head that finds objects: scores and sides of a box for every cell of every level."""

import math
from typing import Any

import keras

from visionmtl.layers.convolution import ConvBlock, SharedBlock
from visionmtl.layers.quality import LocalisationQuality
from visionmtl.tasks.cells import BINS, by_stride
from visionmtl.tasks.task import Maps, Outputs


def head(task: Any, features: Maps, further: int) -> Outputs:
    """Build a head on maps `{"P2": [B, H / 4, W / 4, C], ...}`, whose layers serve all levels.

    Args:
        task: whose head it is; its `name` begins the layers' names. Of its options are read `channels` and `depth`, the
            size of the tower; `towers`, "shared" for one that scores and sides read, "apart" for one each of half the
            width; and `quality`, whether scores know of the sides.
        further: how many levels coarser than the maps are made, each of the one before.

    Returns:
        By level, such as P2, `P2_scores` `[B, h, w, C]` and `P2_distances` `[B, h, w, 4 * BINS]`, float32 logits.

    Reference: Tian et al. 2019, FCOS, section 3 (towers for scores and boxes, levels made of the coarsest); Li et al.
    2021, Generalized Focal Loss V2 (quality).
    """
    name, features = task.name, dict(features)
    channels = task.channels or features[by_stride(features)[0]].shape[-1]
    for _ in range(further):
        coarsest = by_stride(features)[-1]
        coarser = f"P{int(coarsest[1:]) + 1}"
        shrink = ConvBlock(features[coarsest].shape[-1], strides=2, name=f"{name}_{coarser}")
        features[coarser] = shrink(features[coarsest])
    levels = by_stride(features)
    apart = task.towers == "apart"
    if apart:
        width = max(channels // 2, 1)
        scoring, placing = (_tower(f"{name}_{what}_tower", width, levels, task.depth) for what in ("scores", "sides"))
    else:
        scoring = placing = _tower(f"{name}_tower", channels, levels, task.depth)
    # A score starts at 1%, about the fraction of cells that hold an object, lest empty cells drown the first steps.
    score = keras.layers.Conv2D(
        len(task.classes),
        1,
        dtype="float32",
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(-math.log(99.0)),
        name=f"{name}_scores",
    )
    side = keras.layers.Conv2D(4 * BINS, 1, dtype="float32", name=f"{name}_distances")
    quality = LocalisationQuality(BINS, dtype="float32", name=f"{name}_quality") if task.quality else None
    maps: dict = {}
    for level in levels:
        seen = placed = task.dropped(_through(scoring, features[level], level), level)
        if apart:
            placed = task.dropped(_through(placing, features[level], level), f"{level}_sides")
        scores, sides = score(seen), side(placed)
        maps |= {f"{level}_scores": quality([scores, sides]) if quality else scores, f"{level}_distances": sides}
    return maps


def _tower(name: str, channels: int, levels: list[str], depth: int) -> list[SharedBlock]:
    return [SharedBlock(channels, levels, name=f"{name}_{i}") for i in range(depth)]


def _through(tower: list[SharedBlock], x: keras.KerasTensor, level: str) -> keras.KerasTensor:
    for block in tower:
        x = block(x, level=level)
    return x
