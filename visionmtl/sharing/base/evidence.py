"""What one task may read of another's predictions, as maps of every level, and the block by which maps take it in."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from visionmtl.layers.convolution import ConvBlock
from visionmtl.layers.stopping import StopGradient
from visionmtl.sharing.base.stages import Maps

Evidence = dict[str, keras.KerasTensor | None]  # by level; None where a task says nothing there


def evidence_maps(task: Any, outputs: Mapping[str, Any], maps: Maps, name: str, stop: bool = False) -> Evidence:
    """Return a task's evidence as a map `[B, h, w, c]` of each level.

    Args:
        task: a `tasks.Task`.
        outputs: its raw outputs.
        maps: of the levels and sizes wanted.
        name: prefix of the layers' names.
        stop: whether no gradient goes back through the evidence.
    """
    evidence = task.evidence(outputs)
    if stop:
        evidence = {level: StopGradient(name=f"{name}_stop{level}")(tensor) for level, tensor in evidence.items()}
    return {level: _fitted(evidence.get(level, evidence.get("")), maps, level, name) for level in maps}


def _fitted(tensor: keras.KerasTensor | None, maps: Maps, level: str, name: str) -> keras.KerasTensor | None:
    """Return evidence at the size of a level; None where the task has none for it."""
    height, width = maps[level].shape[1:3]
    if tensor is None:
        return None
    if len(tensor.shape) == 2:
        tensor = keras.layers.Reshape((1, 1, tensor.shape[-1]), name=f"{name}_{level}_cell")(tensor)
        return keras.layers.UpSampling2D((height, width), name=f"{name}_{level}_spread")(tensor)
    if tuple(tensor.shape[1:3]) == (height, width):
        return tensor
    shrink = tensor.shape[1] / height, tensor.shape[2] / width
    if min(shrink) >= 1 and all(side == int(side) for side in shrink):
        return keras.layers.AveragePooling2D(tuple(map(int, shrink)), name=f"{name}_{level}_pool")(tensor)
    return keras.layers.Resizing(height, width, name=f"{name}_{level}_resize")(tensor)


def refined(x: keras.KerasTensor, others: Sequence[keras.KerasTensor | None], name: str) -> keras.KerasTensor:
    """Return a map plus what a separable convolution finds in it and in other maps of its size.

    What is added starts at zero, so that a pretrained network starts as it was.

    Args:
        x: `[B, h, w, C]`.
        others: maps `[B, h, w, c]`; None among them is passed over.
        name: prefix of the layers' names.

    Returns:
        `[B, h, w, C]`.
    """
    channels, read = x.shape[-1], [x, *(other for other in others if other is not None)]
    joined = keras.layers.Concatenate(name=f"{name}_read")(read) if len(read) > 1 else x
    more = ConvBlock(channels, name=f"{name}_block")(joined)
    more = keras.layers.Conv2D(channels, 1, use_bias=False, kernel_initializer="zeros", name=f"{name}_write")(more)
    return keras.layers.Add(name=name)([x, more])
