"""Mix transformers, the encoders of SegFormer: attention over four scales, and no position that is learnt.

They are written here layer by layer. KerasHub has them for square images alone (it takes the root of the number of
cells for their sides), in layers that cannot be made again from their configs, and brings 200 MB for texts.
"""

import functools
import re
from collections.abc import Sequence
from typing import Any

import keras

from visionmtl.backbones.architecture import LEVELS, Architecture, Features
from visionmtl.backbones.attention import MapAttention, block, normalised

PATCHES, STRIDES = (7, 3, 3, 3), (4, 2, 2, 2)
HEADS, REDUCTIONS = (1, 2, 5, 8), (8, 4, 2, 1)

# Of ImageNet's red, green and blue in 0..255, as the weights were trained on.
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def features(
    image: keras.KerasTensor,
    imagenet: bool = False,
    channels: Sequence[int] = (32, 64, 160, 256),
    depths: Sequence[int] = (2, 2, 2, 2),
    heads: Sequence[int] = HEADS,
    reductions: Sequence[int] = REDUCTIONS,
) -> Features:
    """Build a mix transformer on an image.

    A stage makes patches that overlap, a strided convolution, and has `depth` blocks of two steps. Attention, in which
    keys and values are of a map reduced by R on a side, so that N cells cost N^2 / R^2; and Mix-FFN,
    `x + MLP(GELU(Conv3x3(MLP(x))))`, whose depthwise convolution tells cells where they are, by the border's zeros.

    Args:
        image: `[B, H, W, 3]`, RGB in 0..255.
        imagenet: not used: there are none at hand.
        channels: of each stage.
        depths: blocks of each stage.
        heads: of each stage's attention.
        reductions: R of each stage.

    Reference: Xie et al. 2021, SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers,
    section 3.1, equations 1 to 3.
    """
    x = standardised(image)
    maps = {}
    for number, level in enumerate(LEVELS):
        name = f"stage{number + 1}"
        x = _strided(x, channels[number], PATCHES[number], STRIDES[number], f"{name}_patch")
        for place in range(depths[number]):
            inner = f"{name}_block{place + 1}"
            reduced = None
            if reductions[number] > 1:
                reduced = functools.partial(_reduced, ratio=reductions[number], name=f"{inner}_reduce")
            within = _convolution(keras.layers.DepthwiseConv2D, 3, padding="same", name=f"{inner}_depthwise")
            attention = MapAttention(heads[number], name=f"{inner}_attention")
            x = block(x, attention, inner, reduced=reduced, within=within)
        x = maps[level] = normalised(x, f"{name}_norm")
    return maps


def standardised(image: keras.KerasTensor) -> keras.KerasTensor:
    """Return RGB in 0..255 as ImageNet's weights are used to it: each channel of mean 0 and variance 1."""
    variance = [deviation**2 for deviation in DEVIATION]
    return keras.layers.Normalization(mean=list(MEAN), variance=variance, name="normalization")(image)


def _strided(x: keras.KerasTensor, channels: int, size: int, stride: int, name: str) -> keras.KerasTensor:
    """Return patches that overlap, padded alike on all sides as in the authors' code: Keras pads less on the left."""
    x = keras.layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    x = _convolution(keras.layers.Conv2D, size, filters=channels, strides=stride, name=name)(x)
    return normalised(x, f"{name}_norm", 1e-5)


def _reduced(x: keras.KerasTensor, ratio: int, name: str) -> keras.KerasTensor:
    """Return a map with a cell for each `ratio` x `ratio`; sides that are multiples of P5's stride have no rest."""
    x = _convolution(keras.layers.Conv2D, ratio, filters=x.shape[-1], strides=ratio, name=name)(x)
    return normalised(x, f"{name}_norm", 1e-5)


def _convolution(kind: type[keras.layers.Layer], size: int, name: str, **options: Any) -> keras.layers.Layer:
    start = keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
    which = "depthwise_initializer" if kind is keras.layers.DepthwiseConv2D else "kernel_initializer"
    return kind(kernel_size=size, name=name, **{which: start}, **options)


def _architecture(version: int, millions: float, width: int, depths: Sequence[int]) -> Architecture:
    channels = (width, 2 * width, 5 * width, 8 * width)
    build = functools.partial(features, channels=channels, depths=depths)
    return Architecture(f"mit_b{version}", "visionmtl", millions, "", build, hugging_face)


_OF_BLOCK = {
    "norm1": "layer_norm_1",
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "reduce": "attention.self.sr",
    "reduce_norm": "attention.self.layer_norm",
    "project": "attention.output.dense",
    "norm2": "layer_norm_2",
    "expand": "mlp.dense1",
    "depthwise": "mlp.dwconv.dwconv",
    "shrink": "mlp.dense2",
}


def hugging_face(name: str) -> str:
    """Return what a layer is called in the files of Hugging Face's SegFormer."""
    stage, rest = name.removeprefix("stage").split("_", 1)
    number = int(stage) - 1
    if in_block := re.fullmatch(r"block(\d+)_(\w+)", rest):
        return f"encoder.block.{number}.{int(in_block[1]) - 1}.{_OF_BLOCK[in_block[2]]}"
    if rest == "norm":
        return f"encoder.layer_norm.{number}"
    return f"encoder.patch_embeddings.{number}.{'proj' if rest == 'patch' else 'layer_norm'}"


ARCHITECTURES = (
    _architecture(0, 3.3, 32, (2, 2, 2, 2)),
    _architecture(1, 13.2, 64, (2, 2, 2, 2)),
    _architecture(2, 24.2, 64, (3, 4, 6, 3)),
    _architecture(3, 44.1, 64, (3, 4, 18, 3)),
    _architecture(4, 60.8, 64, (3, 8, 27, 3)),
    _architecture(5, 81.4, 64, (3, 6, 40, 3)),
)
