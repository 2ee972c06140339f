"""The head of every task that says something of each pixel."""

from typing import Any

import keras

from visionmtl.layers.convolution import ConvBlock, DepthToSpace
from visionmtl.layers.upsampling import GuidedUpsampling
from visionmtl.tasks.task import Maps

UPSAMPLINGS = ("bilinear", "guided")


def head(task: Any, features: Maps, count: int, output: str, upsampling: str = "bilinear") -> keras.KerasTensor:
    """Build a head on maps `{"P2": [B, H / 4, W / 4, C], ...}` and return `[B, H / 2, W / 2, count]`, float32.

    From the coarsest map to the finest, it doubles what it has and adds the next map; a separable convolution refines
    the finest, of which each cell predicts four pixels.

    Args:
        task: whose head it is; its `name` begins the layers' names, and its `channels` are the head's width, None for
            the maps' own.
        count: numbers for each pixel.
        output: ends the name of the last layer.
        upsampling: of what cells say to their pixels: "bilinear", or "guided" by the features, as `GuidedUpsampling`.

    Reference: Kirillov et al. 2019, Panoptic Feature Pyramid Networks, section 3.1.
    """
    levels, name = sorted(features), task.name
    channels = task.channels or features[levels[0]].shape[-1]
    x = None
    for level in reversed(levels):
        own = ConvBlock(channels, name=f"{name}_{level}")(features[level])
        if x is not None:
            x = keras.layers.UpSampling2D(name=f"{name}_up_{level}")(x)
            own = keras.layers.Add(name=f"{name}_add_{level}")([own, x])
        x = own
    x = task.dropped(ConvBlock(channels, name=f"{name}_refine")(x))
    smooth = keras.layers.Conv2D(count, 1, dtype="float32", name=f"{name}_cells")(x)
    if upsampling == "guided":
        guides = keras.layers.Conv2D(6, 1, kernel_initializer="zeros", dtype="float32", name=f"{name}_guides")(x)
        smooth = GuidedUpsampling(dtype="float32", name=f"{name}_smooth")([smooth, guides])
    else:
        smooth = keras.layers.UpSampling2D(2, interpolation="bilinear", dtype="float32", name=f"{name}_smooth")(smooth)
    # Each of a cell's four pixels adds what is its own, for a pole is thinner than a cell. It starts at zero: random
    # weights would leave a chequered pattern where two classes are close.
    own = keras.layers.Conv2D(
        4 * count, 1, use_bias=False, kernel_initializer="zeros", dtype="float32", name=f"{name}_own"
    )(x)
    own = DepthToSpace(2, dtype="float32", name=f"{name}_pixels")(own)
    return keras.layers.Add(dtype="float32", name=f"{name}_{output}")([smooth, own])


def coarse(task: Any, features: Maps, count: int, output: str) -> keras.KerasTensor:
    """Return what each cell of the second finest map says by itself, `[B, H / 8, W / 8, count]`, float32.

    Args:
        task, features, count, output: as of `head`.

    Reference: Zhao et al. 2017, Pyramid Scene Parsing Network, section 3.3 (deep supervision).
    """
    level = sorted(features)[:2][-1]
    return keras.layers.Conv2D(count, 1, dtype="float32", name=f"{task.name}_{output}")(features[level])
