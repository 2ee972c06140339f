"""Feature pyramids: from a backbone's maps to maps of one width that all levels have looked at."""

import itertools
from collections.abc import Mapping

import keras

from visionmtl.layers.convolution import ConvBlock


def pyramid(features: Mapping, channels: int = 96, name: str = "neck") -> dict:
    """Build a feature pyramid: a path from coarse to fine, then one from fine to coarse, of separable convolutions.

    Args:
        features: `{"P2": [B, H / 4, W / 4, C2], ...}`, strides doubling from each level to the next.
        channels: width of every map of the result.
        name: prefix of the layers' names.

    Returns:
        Maps of the same levels and sizes, each `channels` wide.

    Reference: Lin et al. 2017, Feature Pyramid Networks; Liu et al. 2018, Path Aggregation Network.
    """
    levels = sorted(features)
    maps = {}
    for level in levels:
        maps[level] = ConvBlock(channels, 1, separable=False, activation=None, name=f"{name}_lateral_{level}")(
            features[level]
        )
    coarsest = levels[-1]
    # One look at the whole image, for the price of a vector: what a scene is tells what its parts are.
    scene = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_scene")(features[coarsest])
    scene = keras.layers.Conv2D(channels, 1, name=f"{name}_scene_convolution")(scene)
    maps[coarsest] = keras.layers.Add(name=f"{name}_scene_add")([maps[coarsest], scene])

    for coarse, fine in zip(reversed(levels[1:]), reversed(levels[:-1]), strict=True):
        coarser = keras.layers.UpSampling2D(name=f"{name}_up_{fine}")(maps[coarse])
        merged = keras.layers.Add(name=f"{name}_down_add_{fine}")([maps[fine], coarser])
        maps[fine] = ConvBlock(channels, name=f"{name}_down_{fine}")(merged)
    for fine, coarse in itertools.pairwise(levels):
        finer = ConvBlock(channels, strides=2, name=f"{name}_up_{coarse}_reduce")(maps[fine])
        merged = keras.layers.Add(name=f"{name}_up_add_{coarse}")([maps[coarse], finer])
        maps[coarse] = ConvBlock(channels, name=f"{name}_up_{coarse}_merge")(merged)
    return maps
