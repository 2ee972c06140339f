"""The head that finds objects: scores and sides of a box for every cell of every level."""

import math
from typing import Any

import keras

from visionmtl.layers.convolution import ConvBlock, SharedBlock
from visionmtl.layers.quality import LocalisationQuality
from visionmtl.layers.stopping import StopGradient
from visionmtl.tasks.cells import BINS, by_stride
from visionmtl.tasks.task import Maps, Outputs

MANY = "many_"  # begins what a head says that only learns
UNREAD = tuple(f"P{level}_{MANY}{kind}" for level in range(1, 16) for kind in ("scores", "distances"))


def head(task: Any, features: Maps, further: int) -> Outputs:
    """Build a head on maps `{"P2": [B, H / 4, W / 4, C], ...}`, whose layers serve all levels.

    Of an `end_to_end` task there are two: that of its predictions, whose objects have one cell each, reads the maps
    without teaching them; they learn from a head beside it, whose objects have many.

    Args:
        task: whose head it is; its `name` begins the layers' names. Of its options are read `channels` and `depth`, the
            size of the tower; `towers`, "shared" for one that scores and sides read, "apart" for one each of half the
            width; and `quality`, whether scores know of the sides.
        further: how many levels coarser than the maps are made, each of the one before.

    Returns:
        By level, such as P2, `P2_scores` `[B, h, w, C]` and `P2_distances` `[B, h, w, 4 * BINS]`, float32 logits; of
        the head beside it, if there is one, `P2_many_scores` and `P2_many_distances`.

    Reference: Tian et al. 2019, FCOS, section 3 (towers for scores and boxes, levels made of the coarsest); Li et al.
    2021, Generalized Focal Loss V2 (quality); Wang et al. 2024, YOLOv10, section 3.1 (two heads).
    """
    name, features = task.name, dict(features)
    for _ in range(further):
        coarsest = by_stride(features)[-1]
        coarser = f"P{int(coarsest[1:]) + 1}"
        shrink = ConvBlock(features[coarsest].shape[-1], strides=2, name=f"{name}_{coarser}")
        features[coarser] = shrink(features[coarsest])
    if not task.end_to_end:
        return _said(task, features)
    read = {level: StopGradient(name=f"{name}_{level}_read")(x) for level, x in features.items()}
    return _said(task, read) | _said(task, features, MANY)


def _said(task: Any, features: Maps, which: str = "") -> Outputs:
    """Return what a head says of maps; its words, and the names of its layers, have `which` in them."""
    levels, name = by_stride(features), f"{task.name}_{which}".removesuffix("_")
    channels = task.channels or features[levels[0]].shape[-1]
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
        seen = placed = task.dropped(_through(scoring, features[level], level), f"{which}{level}")
        if apart:
            placed = task.dropped(_through(placing, features[level], level), f"{which}{level}_sides")
        scores, sides = score(seen), side(placed)
        scores = quality([scores, sides]) if quality else scores
        maps |= {f"{level}_{which}scores": scores, f"{level}_{which}distances": sides}
    return maps


def _tower(name: str, channels: int, levels: list[str], depth: int) -> list[SharedBlock]:
    return [SharedBlock(channels, levels, name=f"{name}_{i}") for i in range(depth)]


def _through(tower: list[SharedBlock], x: keras.KerasTensor, level: str) -> keras.KerasTensor:
    for block in tower:
        x = block(x, level=level)
    return x
