"""Plain vision transformers: patches of 16 x 16 pixels, of which every block attends to all."""

import functools
from typing import Any

import keras
from keras import ops

from visionmtl.backbones.architecture import LEVELS, Architecture, Features
from visionmtl.backbones.attention import MapAttention, block, normalised
from visionmtl.backbones.pixels import Gathered
from visionmtl.layers import DepthToSpace


def features(
    image: keras.KerasTensor,
    imagenet: bool = False,
    channels: int = 192,
    depth: int = 12,
    heads: int = 3,
) -> Features:
    """Build a vision transformer on an image.

    All its maps have a stride of 16. So that it is cut into stages like the others, each level is the whole map after a
    quarter of the blocks, brought to the level's stride without a weight: at P2 a cell's channels are spread over 4 x 4
    pixels, at P3 over 2 x 2, at P5 those of 2 x 2 cells are put together. The next stage takes it back, and nothing is
    lost. It has no class token; its 14 x 14 learnt positions are resized to the map.

    Args:
        image: `[B, H, W, 3]`, RGB in 0..255.
        imagenet: not used: there are none at hand.
        channels: of the map at stride 16; a multiple of 16 and of `heads`.
        depth: blocks; a multiple of 4.
        heads: of the attention.

    Reference: Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, equations 1 to 4.
    """
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="normalization")(image)
    x = keras.layers.Conv2D(channels, 16, 16, name="patch")(x)
    x = Positions(name="positions")(x)
    maps: Features = {}
    for number, level in enumerate(LEVELS):
        for place in range(number * depth // 4, (number + 1) * depth // 4):
            name = f"block{place + 1}"
            x = block(x, MapAttention(heads, name=f"{name}_attention"), name)
        if level == "P2":
            maps[level] = DepthToSpace(4, name="P2_spread")(x)
            x = Gathered(4, name="P2_gathered")(maps[level])
        elif level == "P3":
            maps[level] = DepthToSpace(2, name="P3_spread")(x)
            x = Gathered(2, name="P3_gathered")(maps[level])
        elif level == "P4":
            maps[level] = x
        else:
            maps[level] = Gathered(2, name="P5_gathered")(normalised(x, "norm"))
    return maps


@keras.saving.register_keras_serializable("visionmtl")
class Positions(keras.layers.Layer):
    """Add to each cell of a map a learnt vector for where it is, resized bilinearly from a grid to the map's size.

    Args:
        side: cells of the grid, `side` x `side`.

    Call: `[B, H, W, C]` -> the same shape.
    """

    def __init__(self, side: int = 14, **kwargs: Any):
        super().__init__(**kwargs)
        self.side = side

    def build(self, input_shape: Any) -> None:
        self.grid = self.add_weight(
            name="grid",
            shape=(1, self.side, self.side, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        size = ops.shape(inputs)[1:3]
        grid = ops.convert_to_tensor(self.grid)
        if tuple(size) != (self.side, self.side):
            grid = ops.cast(ops.image.resize(grid, size, data_format="channels_last"), inputs.dtype)
        return inputs + grid

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"side": self.side}


def _architecture(name: str, millions: float, channels: int, heads: int) -> Architecture:
    build = functools.partial(features, channels=channels, heads=heads)
    return Architecture(f"vit_{name}", "visionmtl", millions, "", build, hugging_face)


_OF_BLOCK = {
    "norm1": "layernorm_before",
    "query": "attention.attention.query",
    "key": "attention.attention.key",
    "value": "attention.attention.value",
    "project": "attention.output.dense",
    "norm2": "layernorm_after",
    "expand": "intermediate.dense",
    "shrink": "output.dense",
}
_OUTSIDE = {
    "patch": "embeddings.patch_embeddings.projection",
    "positions": "embeddings.position_embeddings",
    "norm": "layernorm",
}


def hugging_face(name: str) -> str:
    """Return what a layer is called in the files of Hugging Face's ViT."""
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    number, part = name.removeprefix("block").split("_", 1)
    return f"encoder.layer.{int(number) - 1}.{_OF_BLOCK[part]}"


ARCHITECTURES = (
    _architecture("tiny", 5.5, 192, 3),
    _architecture("small", 21.7, 384, 6),
    _architecture("base", 85.8, 768, 12),
)
