"""Swin transformers: attention within windows, which lie half a window further in every other block."""

import functools
import re
from collections.abc import Sequence

import keras

from visionmtl.backbones.architecture import LEVELS, Architecture, Features
from visionmtl.backbones.attention import WindowAttention, block, dense, normalised
from visionmtl.backbones.mix_transformer import standardised
from visionmtl.backbones.pixels import Gathered


def features(
    image: keras.KerasTensor,
    imagenet: bool = False,
    channels: int = 96,
    depths: Sequence[int] = (2, 2, 6, 2),
    heads: Sequence[int] = (3, 6, 12, 24),
    window: int = 7,
) -> Features:
    """Build a Swin transformer on an image.

    Patches of 4 x 4 pixels become cells; between stages every 2 x 2 of them become one of twice the channels. A level
    is what the next stage reads, of which P5 alone is normalised.

    Args:
        image: `[B, H, W, 3]`, RGB in 0..255.
        imagenet: not used: there are none at hand.
        channels: of P2; doubled with each level.
        depths: blocks of each stage; every second one is shifted.
        heads: of each stage's attention.
        window: cells on a side of a window.

    Reference: Liu et al. 2021, Swin Transformer: Hierarchical Vision Transformer using Shifted Windows.
    """
    x = keras.layers.Conv2D(channels, 4, 4, name="patch")(standardised(image))
    x = normalised(x, "patch_norm", 1e-5)
    maps = {}
    for number, level in enumerate(LEVELS):
        name = f"stage{number + 1}"
        if number:
            x = Gathered(2, "columns", name=f"{name}_merge")(x)
            x = normalised(x, f"{name}_merge_norm", 1e-5)
            x = dense(channels * 2**number, f"{name}_reduction", use_bias=False)(x)
        for place in range(depths[number]):
            inner = f"{name}_block{place + 1}"
            attention = WindowAttention(heads[number], window, place % 2 == 1, name=f"{inner}_attention")
            x = block(x, attention, inner, 1e-5)
        maps[level] = x
    maps[LEVELS[-1]] = normalised(x, "norm", 1e-5)
    return maps


def _architecture(name: str, millions: float, channels: int, depths: Sequence[int], heads: int) -> Architecture:
    each = [heads * 2**number for number in range(4)]
    build = functools.partial(features, channels=channels, depths=depths, heads=each)
    return Architecture(f"swin_{name}", "visionmtl", millions, "", build, hugging_face)


_OF_BLOCK = {
    "norm1": "layernorm_before",
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention": "attention.self.relative_position_bias_table",
    "project": "attention.output.dense",
    "norm2": "layernorm_after",
    "expand": "intermediate.dense",
    "shrink": "output.dense",
}
_OUTSIDE = {"patch": "embeddings.patch_embeddings.projection", "patch_norm": "embeddings.norm", "norm": "layernorm"}


def hugging_face(name: str) -> str:
    """Return what a layer is called in the files of Hugging Face's Swin."""
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    stage, rest = name.removeprefix("stage").split("_", 1)
    if in_block := re.fullmatch(r"block(\d+)_(\w+)", rest):
        return f"encoder.layers.{int(stage) - 1}.blocks.{int(in_block[1]) - 1}.{_OF_BLOCK[in_block[2]]}"
    return f"encoder.layers.{int(stage) - 2}.downsample.{'norm' if rest == 'merge_norm' else 'reduction'}"


ARCHITECTURES = (
    _architecture("tiny", 27.5, 96, (2, 2, 6, 2), 3),
    _architecture("small", 48.8, 96, (2, 2, 18, 2), 3),
    _architecture("base", 86.7, 128, (2, 2, 18, 2), 4),
)
