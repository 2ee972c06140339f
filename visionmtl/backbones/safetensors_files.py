"""Weights of transformers from the .safetensors files that Hugging Face keeps of them, read without its libraries."""

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

import keras
import numpy as np

from visionmtl.backbones.architecture import Names
from visionmtl.errors import UsageError

Tensors = tuple[dict[str, np.ndarray], dict[str, str]]  # those of floating numbers, and the types of all others
DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "BF16": "<u2"}
ENDINGS = (".safetensors", ".safetensors.index.json")
SHARD = re.compile(r"-\d+-of-\d+\.safetensors$")
TOLD = 3  # of what is left of a file


def load(model: keras.Model, path: str | Path, names: Names) -> None:
    """Set a backbone's weights from a file, and print what else is in it, such as a classifier, which is left.

    Torch keeps a dense kernel as (out, in), a convolution's as (out, in, height, width), a depthwise one's as
    (channels, 1, height, width). Learnt positions begin with those of further tokens, which are left out.

    Args:
        model: the backbone.
        path: of a `.safetensors` file, or of the `.safetensors.index.json` that says in which files the tensors are.
        names: what a layer of the backbone is called there; whatever leads to it, such as `vit.`, is found.

    Raises:
        UsageError: no such file, not of this format, or of another architecture.
    """
    path = Path(path)
    tensors, others = _parts(path) if path.suffix == ".json" else _read(path)

    def refuse(what: str) -> NoReturn:
        hint = " It is one file of several: give the index that names them all." if SHARD.search(path.name) else ""
        raise UsageError(f"Weights file {path} is not of backbone '{model.name}': {what}.{hint}")

    layers = [layer for layer in model.layers if layer.weights]
    lead, skipped = _lead({*tensors, *others}, f"{names(layers[0].name)}.weight", refuse)

    def there(layer: keras.layers.Layer) -> str:
        return lead + names(layer.name).removeprefix(skipped)

    def of(layer: keras.layers.Layer) -> list[np.ndarray]:
        kinds = ("weight", "bias") if len(layer.weights) == 2 or hasattr(layer, "kernel") else ("",)
        found = []
        for weight, kind in zip(layer.weights, kinds, strict=False):
            name = f"{there(layer)}.{kind}".removesuffix(".")
            if name in others:
                refuse(f"its tensor '{name}' is of type {others[name]}, expected one of {', '.join(DTYPES)}")
            if name not in tensors:
                refuse(f"it has no tensor '{name}'")
            value = _as_keras(tensors[name], layer)
            if value.shape != tuple(weight.shape):
                shape = list(tensors[name].shape)
                refuse(f"its tensor '{name}' has shape {shape}, where the backbone wants {list(weight.shape)}")
            found.append(value)
        return found

    values = [(layer, of(layer)) for layer in layers]
    known = {there(layer) for layer, _ in values}
    blocks = {re.sub(r"\d+", "#", name) for name in known}
    rest = sorted({name.removesuffix(".weight").removesuffix(".bias") for name in tensors} - known)
    if deeper := [name for name in rest if re.sub(r"\d+", "#", name) in blocks]:
        refuse(f"it has {len(deeper)} layers more, such as {deeper[0]}")
    for layer, arrays in values:
        layer.set_weights(arrays)
    if rest:
        more = f" and {len(rest) - TOLD} more" if len(rest) > TOLD else ""
        print(f"{path} gives {model.name} its weights, and is left: {', '.join(rest[:TOLD])}{more}.")


def read(path: str | Path) -> dict[str, np.ndarray]:
    """Return the tensors of floating numbers in a file, by name, as float32.

    The file is the length of its header, the header (JSON: type, shape and place of each tensor), and the data.

    Raises:
        UsageError: no such file, or not of this format.
    """
    return _read(Path(path))[0]


def _parts(index: Path) -> Tensors:
    """Return what the files hold that an index names, which lie beside it."""
    if not index.is_file():
        raise UsageError(f"Weights file {index} does not exist.")
    try:
        named = {str(name) for name in json.loads(index.read_bytes())["weight_map"].values()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"Weights file {index} is no index of safetensors files: it has no 'weight_map'.") from None
    tensors: dict[str, np.ndarray] = {}
    others: dict[str, str] = {}
    for name in sorted(named):
        if not (index.parent / name).is_file():
            raise UsageError(f"Weights file {index.parent / name} does not exist, which {index} names.")
        own = _read(index.parent / name)
        tensors |= own[0]
        others |= own[1]
    return tensors, others


def _read(path: Path) -> Tensors:
    """Return the tensors of floating numbers in a file, and the types of all others."""
    if not path.is_file():
        raise UsageError(f"Weights file {path} does not exist.")
    data = path.read_bytes()
    tensors, others = {}, {}
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        header: Mapping[str, Any] = json.loads(data[8:start])
        for name, about in header.items():
            if name == "__metadata__":
                continue
            if about["dtype"] not in DTYPES:
                others[name] = str(about["dtype"])
                continue
            first, last = about["data_offsets"]
            flat = np.frombuffer(data[start + first : start + last], DTYPES[about["dtype"]])
            if about["dtype"] == "BF16":  # the upper half of a float32
                flat = (flat.astype("<u4") << 16).view("<f4")
            tensors[name] = flat.reshape(about["shape"]).astype("float32")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UsageError(f"Weights file {path} is damaged or no safetensors file: {error}.") from None
    return tensors, others


def _lead(there: Collection[str], name: str, refuse: Callable[[str], NoReturn]) -> tuple[str, str]:
    """Return what leads to a backbone's names in a file, as `vit.`, and what of them is left out there.

    Args:
        there: names of tensors.
        name: of one of the backbone; an encoder kept alone has names without `encoder.`.
        refuse: says what is wrong.
    """
    for skipped in ("", "encoder."):
        ending = name.removeprefix(skipped)
        leads = sorted(each.removesuffix(ending) for each in there if f".{each}".endswith(f".{ending}"))
        if len(leads) > 1:
            refuse(f"it holds several, of which one is to be kept alone: {', '.join(leads)}")
        if leads:
            return leads[0], skipped
    refuse(f"it has no tensor '{name}'")


def _as_keras(tensor: np.ndarray, layer: keras.layers.Layer) -> np.ndarray:
    if tensor.ndim == 4:
        return tensor.transpose((2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0))
    if tensor.ndim == 3:
        side = math.isqrt(tensor.shape[1] - 1)  # there is a class token, and of distilled ones a further one
        return tensor[:, -(side**2) :].reshape(1, side, side, -1)
    return tensor.T if isinstance(layer, keras.layers.Dense) else tensor
