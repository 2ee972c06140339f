"""Weights of backbones from files that Keras wrote."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import h5py
import keras
import numpy as np

from visionmtl.errors import UsageError

Stored = list[tuple[str, list[h5py.Dataset]]]  # layers' names and their arrays, still in the file


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
    path = check(path)
    try:
        with h5py.File(_weights_of_archive(path) if path.suffix == ".keras" else path, "r") as file:
            values = _matching(_stored_layers(file, model), model, path)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise UsageError(f"Weights file {path} is damaged or was not written by Keras 3: {error}.") from None
    for layer, arrays in values:
        layer.set_weights(arrays)


def check(path: str | Path) -> Path:
    """Return a path if weights may be read from it, which takes a moment.

    Raises:
        UsageError: no such file, or not one of Keras by its name.
    """
    path = Path(path)
    if not path.name.endswith((".keras", ".weights.h5")):
        raise UsageError(
            f"Weights '{path}': expected None, 'imagenet', or a .keras or .weights.h5 file; of transformers"
            " also a .safetensors file, or the .safetensors.index.json of several."
        )
    if not path.is_file():
        raise UsageError(f"Weights file {path} does not exist.")
    return path


def _weights_of_archive(path: Path) -> io.BytesIO:
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read("model.weights.h5"))


def _stored_layers(file: h5py.File, model: keras.Model) -> Stored:
    """Return pairs (layer's name, its arrays still in the file) of the backbone's stages, or of all if it has none."""
    stored: dict[str, h5py.Group] = {}

    def visit(place: str, group: Any) -> None:
        if isinstance(group, h5py.Group) and "name" in group.attrs:
            stored[place.removesuffix("vars")] = group

    file.visititems(visit)
    stages: list[str] = []
    for level in model.output:
        copies = [place for place in stored if stored[place].attrs["name"].endswith(f"{model.name}_{level}")]
        stages += sorted(copies, key=lambda place: stored[place].attrs["name"])[:1]
    return [
        (group.attrs["name"], [group[key] for key in sorted(group, key=int)])
        for place, group in stored.items()
        if place.startswith(tuple(stages) or "") and group and all(key.isdigit() for key in group)
    ]


def _matching(stored: Stored, model: keras.Model, path: Path) -> list[tuple[keras.Layer, list[np.ndarray]]]:
    """Return pairs (layer, arrays) for all of the model's layers that have weights."""
    layers = {layer.name: layer for layer in _leaves(model) if layer.weights}
    patterns = {_pattern(name) for name in layers}
    arrays = dict(stored)

    def refuse(what: str) -> NoReturn:
        raise UsageError(f"Weights file {path} is not of backbone '{model.name}': {what}.")

    if absent := [name for name in layers if name not in arrays]:
        refuse(f"{len(absent)} of its {len(layers)} layers are not in the file, such as {absent[0]}")
    if deeper := [name for name in arrays if name not in layers and _pattern(name) in patterns]:
        refuse(f"the file has {len(deeper)} layers more, such as {deeper[0]}")
    if several := [name for name, times in Counter(name for name, _ in stored).items() if name in layers and times > 1]:
        refuse(f"{len(several)} of its layers are there more than once, such as {several[0]}")
    for name, layer in layers.items():
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if shapes != (theirs := [array.shape for array in arrays[name]]):
            refuse(f"layer {name} has shapes {theirs} in the file and {shapes} in the backbone")
    return [(layer, [array[()] for array in arrays[name]]) for name, layer in layers.items()]


def _leaves(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _pattern(name: str) -> str:
    """Return the name of a layer but for its numbers: the layers of a deeper variant differ in nothing else."""
    return re.sub(r"\d+[a-z]?(?=_)", "#", name)
