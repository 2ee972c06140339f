"""Weights of transformers from the .safetensors files that Hugging Face keeps of them, read without its libraries."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from visionmtl.backbones.architecture import Names
from visionmtl.errors import UsageError

DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "BF16": "<u2"}
PREFIX = re.compile(r"^(model\.)?(segformer\.|swin\.|vit\.)?")  # what a classifier calls the backbone in it


def load(model: keras.Model, path: str | Path, names: Names) -> None:
    """Set a backbone's weights from a file; what else is in it, such as a classifier, is left.

    Torch keeps a dense kernel as (out, in), a convolution's as (out, in, height, width), a depthwise one's as
    (channels, 1, height, width). Learnt positions begin with that of a class token, which is left out.

    Args:
        model: the backbone.
        path: of a `.safetensors` file.
        names: what a layer of the backbone is called there.

    Raises:
        UsageError: no such file, not of this format, or of another architecture.
    """
    tensors = {PREFIX.sub("", name): tensor for name, tensor in read(path).items()}

    def of(layer: keras.layers.Layer) -> list[np.ndarray]:
        there = names(layer.name)
        kinds = ("weight", "bias") if len(layer.weights) == 2 or hasattr(layer, "kernel") else ("",)
        found = []
        for weight, kind in zip(layer.weights, kinds, strict=False):
            name = f"{there}.{kind}".removesuffix(".")
            if name not in tensors:
                raise UsageError(f"Weights file {path} is not of backbone '{model.name}': it has no tensor '{name}'.")
            value = _as_keras(tensors[name], layer)
            if value.shape != tuple(weight.shape):
                raise UsageError(
                    f"Weights file {path} is not of backbone '{model.name}': its tensor '{name}' has shape"
                    f" {list(tensors[name].shape)}, where the backbone wants {list(weight.shape)}."
                )
            found.append(value)
        return found

    values = [(layer, of(layer)) for layer in model.layers if layer.weights]
    blocks = {re.sub(r"\d+", "#", names(layer.name)) for layer, _ in values}
    known = {names(layer.name) for layer, _ in values}
    stems = {name.removesuffix(".weight").removesuffix(".bias") for name in tensors}
    if deeper := sorted(stem for stem in stems - known if re.sub(r"\d+", "#", stem) in blocks):
        raise UsageError(
            f"Weights file {path} is not of backbone '{model.name}': it has {len(deeper)} layers more, such as"
            f" {deeper[0]}."
        )
    for layer, arrays in values:
        layer.set_weights(arrays)


def read(path: str | Path) -> dict[str, np.ndarray]:
    """Return the tensors of floating numbers in a file, by name, as float32.

    The file is the length of its header, the header (JSON: type, shape and place of each tensor), and the data.

    Raises:
        UsageError: no such file, or not of this format.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"Weights file {path} does not exist.")
    data = path.read_bytes()
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        header: Mapping[str, Any] = json.loads(data[8:start])
        tensors = {}
        for name, about in header.items():
            if name != "__metadata__" and about["dtype"] in DTYPES:
                first, last = about["data_offsets"]
                flat = np.frombuffer(data[start + first : start + last], DTYPES[about["dtype"]])
                if about["dtype"] == "BF16":  # the upper half of a float32
                    flat = (flat.astype("<u4") << 16).view("<f4")
                tensors[name] = flat.reshape(about["shape"]).astype("float32")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UsageError(f"Weights file {path} is damaged or no safetensors file: {error}.") from None
    return tensors


def _as_keras(tensor: np.ndarray, layer: keras.layers.Layer) -> np.ndarray:
    if tensor.ndim == 4:
        return tensor.transpose((2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0))
    if tensor.ndim == 3:
        side = int((tensor.shape[1] - 1) ** 0.5)
        return tensor[:, 1 : 1 + side**2].reshape(1, side, side, -1)
    return tensor.T if isinstance(layer, keras.layers.Dense) else tensor
