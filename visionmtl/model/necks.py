"""Feature pyramids: from a backbone's maps to maps of one width that all levels have looked at."""

import itertools
from collections.abc import Mapping

import keras

from visionmtl.errors import check_number, one_of
from visionmtl.layers.convolution import ConvBlock
from visionmtl.layers.weighted_sum import WeightedSum

OPTIONS = ("channels", "context", "fusion", "repeats")
CONTEXTS = ("scene", "pooled", "none")
FUSIONS = ("sum", "weighted")
POOLS = (3, 5, 9)  # cells of the coarsest map on a side, of which an image of 288 x 384 pixels has 9 x 12


def pyramid(
    features: Mapping,
    channels: int = 96,
    context: str = "scene",
    fusion: str = "sum",
    repeats: int = 1,
    name: str = "neck",
) -> dict:
    """Build a feature pyramid: a path from coarse to fine, then one from fine to coarse, of separable convolutions.

    Args:
        features: `{"P2": [B, H / 4, W / 4, C2], ...}`, strides doubling from each level to the next.
        channels: width of every map of the result.
        context: what each cell of the coarsest map is told of what lies around it: "scene", the mean of the whole
            image; "pooled", that and the means of three neighbourhoods of growing size; or "none".
        fusion: how maps that meet become one: "sum", or "weighted" by a learnt weight each, where the path from fine to
            coarse meets what each level was at first, too.
        repeats: times that both paths are taken, each with convolutions of its own.
        name: prefix of the layers' names.

    Returns:
        Maps of the same levels and sizes, each `channels` wide.

    Raises:
        UsageError: an option is none of these.

    Reference: Lin et al. 2017, Feature Pyramid Networks; Liu et al. 2018, Path Aggregation Network; Zhao et al. 2017,
    Pyramid Scene Parsing Network (pooled); Tan et al. 2020, EfficientDet, section 3 (weighted, repeats).
    """
    check_number("model.neck", "channels", channels, at_least=1, whole=True)
    check_number("model.neck", "repeats", repeats, at_least=1, whole=True)
    one_of(context, CONTEXTS, "model.neck.context")
    one_of(fusion, FUSIONS, "model.neck.fusion")
    levels = sorted(features)
    maps = {}
    for level in levels:
        maps[level] = ConvBlock(channels, 1, separable=False, activation=None, name=f"{name}_lateral_{level}")(
            features[level]
        )
    coarsest = levels[-1]
    if context != "none":
        # One look at the whole image, for the price of a vector: what a scene is tells what its parts are.
        scene = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_scene")(features[coarsest])
        scene = keras.layers.Conv2D(channels, 1, name=f"{name}_scene_convolution")(scene)
        maps[coarsest] = keras.layers.Add(name=f"{name}_scene_add")([maps[coarsest], scene])
    if context == "pooled":
        maps[coarsest] = _pooled(maps[coarsest], f"{name}_pooled")

    for number in range(1, repeats + 1):
        maps = _pass(maps, channels, fusion, name if number == 1 else f"{name}_{number}")
    return maps


def _pass(maps: Mapping, channels: int, fusion: str, name: str) -> dict:
    """Lead each level's map from coarse to fine and back, merged with what it meets on the way."""
    levels, given, maps = sorted(maps), maps, dict(maps)
    merge = WeightedSum if fusion == "weighted" else keras.layers.Add
    for coarse, fine in zip(reversed(levels[1:]), reversed(levels[:-1]), strict=True):
        coarser = keras.layers.UpSampling2D(name=f"{name}_up_{fine}")(maps[coarse])
        merged = merge(name=f"{name}_down_add_{fine}")([maps[fine], coarser])
        maps[fine] = ConvBlock(channels, name=f"{name}_down_{fine}")(merged)
    for fine, coarse in itertools.pairwise(levels):
        finer = ConvBlock(channels, strides=2, name=f"{name}_up_{coarse}_reduce")(maps[fine])
        # What a level was at first is not what came down to it, except for the coarsest.
        first = [given[coarse]] if fusion == "weighted" and coarse != levels[-1] else []
        merged = merge(name=f"{name}_up_add_{coarse}")([maps[coarse], finer, *first])
        maps[coarse] = ConvBlock(channels, name=f"{name}_up_{coarse}_merge")(merged)
    return maps


def _pooled(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Add to a map what its cells have around them, at each size of `POOLS`: strides of 1 fit maps of every size."""
    channels, around = x.shape[-1], []
    for size in POOLS:
        mean = keras.layers.AveragePooling2D(size, 1, padding="same", name=f"{name}_{size}")(x)
        width = max(channels // 4, 1)
        around.append(ConvBlock(width, 1, separable=False, name=f"{name}_{size}_convolution")(mean))
    around = keras.layers.Concatenate(name=f"{name}_around")(around)
    around = ConvBlock(channels, 1, separable=False, activation=None, name=f"{name}_merge")(around)
    return keras.layers.Add(name=f"{name}_add")([x, around])
