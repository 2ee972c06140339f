"""Sluice networks: cross-stitch between groups of the channels, and a learnt mixture of the levels for every task.

Each task's channels fall into subspaces, and every subspace goes on with a learnt weighted sum of all, its own task's
too; after the necks, each level that a task's head reads is a learnt weighted sum of all levels. Take it where tasks
should share some of what they see and keep the rest to themselves. It costs a backbone and a neck for each task, less a
stem that `until` shares, and the resizing of every level to every other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from visionmtl.errors import UsageError, check_number
from visionmtl.layers.cross_stitch import CrossStitch, near_identity
from visionmtl.sharing.base.built import Made, Matrix, Penalty
from visionmtl.sharing.base.scheme import Tasks
from visionmtl.sharing.base.side_by_side import SideBySide
from visionmtl.sharing.base.stages import Branches, Maps


@keras.saving.register_keras_serializable("visionmtl")
class SubspaceStitch(CrossStitch):
    """Mix the subspaces of K tensors, groups of their channels, by one learnt weight a pair of subspaces.

    A subspace starts near itself and the like ones of the other tensors: backbones that start alike hold the same
    there, so that mixing changes nothing yet. Unlike ones start at 0; in the paper they share the rest too.

    Args:
        subspaces: G, groups of neighbouring channels.
        own: as for `CrossStitch`, of a subspace.
        speed: as for `CrossStitch`.

    Call: a list of K tensors `[B, ..., C]`, C a multiple of G -> a list of K tensors of that shape.

    Raises:
        UsageError: C is no multiple of G.
    """

    def __init__(self, subspaces: int = 2, own: float = 0.9, speed: float = 10.0, **kwargs: Any):
        super().__init__("layer", own, speed, **kwargs)
        self.subspaces = subspaces

    def build(self, input_shape: Any) -> None:
        channels = input_shape[0][-1]
        if channels % self.subspaces:
            raise UsageError(
                f"sharing 'sluice' was given subspaces={self.subspaces}, which do not divide the {channels} channels of"
                f" '{self.name}': choose a divisor of {channels}."
            )
        groups = [(*tuple(shape)[:-1], channels // self.subspaces) for shape in input_shape]
        super().build([shape for shape in groups for _ in range(self.subspaces)])
        self.start = np.kron(near_identity(len(groups), self.own), np.eye(self.subspaces, dtype="float32"))

    def call(self, inputs: Any) -> Any:
        G = self.subspaces
        mixed = super().call([group for x in inputs for group in ops.split(x, G, axis=-1)])
        return [ops.concatenate(mixed[place : place + G], axis=-1) for place in range(0, len(mixed), G)]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config() | {"subspaces": self.subspaces}
        config.pop("units"), config.pop("rate")
        return config


@keras.saving.register_keras_serializable("visionmtl")
class LevelMixture(CrossStitch):
    """Make each level of a pyramid a learnt weighted sum of all: coarser ones repeat pixels, finer ones average them.

    Args:
        own: as for `CrossStitch`, of a level.
        speed: as for `CrossStitch`.

    Call: a list of L maps `[B, H, W, C]`, whose sides divide each other -> a list of L maps of these shapes.
    """

    def __init__(self, own: float = 0.9, speed: float = 10.0, **kwargs: Any):
        super().__init__("layer", own, speed, **kwargs)

    def build(self, input_shape: Any) -> None:
        super().build([input_shape[0]] * len(input_shape))

    def call(self, inputs: Any) -> Any:
        rows = [ops.unstack(row) for row in ops.unstack(self.weight)]
        return [
            tf.add_n([weight * _resized(x, like.shape[1]) for weight, x in zip(row, inputs, strict=True)])
            for row, like in zip(rows, inputs, strict=True)
        ]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("units"), config.pop("rate")
        return config


@dataclass(frozen=True)
class Sluice(SideBySide):
    """A backbone per task, mixed by subspaces of the channels after every stage, and levels mixed before the heads.

    Args:
        subspaces: G, into how many equal groups the channels of every level fall, at least 1.
        own: at the start, the weight of a subspace itself and of a level itself, 0 to 1; the same subspace of the other
            tasks, and the other levels, share the rest.
        orthogonality: strength of the penalty on subspaces of a task that hold the same filters, at least 0, which is
            none.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Ruder et al. 2019, Latent Multi-Task Architecture Learning (sluice networks). The paper's layers have one
    size and are mixed as they are; levels are mixed after the necks, which make them equally wide.
    """

    subspaces: int = 2
    own: float = 0.9
    orthogonality: float = 0.0
    until: str | None = None

    name = "sluice"

    def __post_init__(self) -> None:
        check_number(f"sharing '{self.name}'", "subspaces", self.subspaces, at_least=1, whole=True)
        check_number(f"sharing '{self.name}'", "orthogonality", self.orthogonality, at_least=0)

    def join(self, level: str, maps: Maps) -> Maps:
        unit = SubspaceStitch(self.subspaces, self.own, name=f"sluice_{level}")
        return dict(zip(maps, unit(list(maps.values())), strict=True))

    def mix(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Maps]:
        mixed = {}
        for task, levels in maps.items():
            mixture = LevelMixture(self.own, name=f"sluice_levels_{task}")
            mixed[task] = dict(zip(levels, mixture(list(levels.values())), strict=True))
        return Made(mixed, learnt=partial(_mixtures, list(next(iter(maps.values())))))

    def penalties(self, branches: Branches) -> Sequence[Penalty]:
        if not self.orthogonality or self.subspaces == 1:
            return []
        kernels = [_last_kernel(stage) for stages in branches.stages.values() for _, stage in stages]
        return [Penalty(partial(self._overlap, kernel), [kernel]) for kernel in kernels if kernel is not None]

    def _overlap(self, kernel: keras.Variable) -> tf.Tensor:
        return self.orthogonality * overlap(tf.convert_to_tensor(kernel), self.subspaces)

    def matrices(self, tasks: list[str], levels: list[str], model: keras.Model) -> dict[str, Matrix]:
        """Return what each subspace (row) takes of each (column), by level."""
        G = range(1, self.subspaces + 1)
        names = [f"{task} {group}" for task in tasks for group in G] if len(G) > 1 else tasks
        return {
            layer.name.replace("sluice_", "sluice "): Matrix(ops.convert_to_numpy(layer.weight), names, names)
            for layer in model.layers
            if isinstance(layer, SubspaceStitch)
        }


def _mixtures(levels: list[str], model: keras.Model) -> dict[str, Matrix]:
    """Return what each level (row) takes of each (column), by task."""
    return {
        layer.name.replace("sluice_levels_", "levels of "): Matrix(ops.convert_to_numpy(layer.weight), levels, levels)
        for layer in model.layers
        if isinstance(layer, LevelMixture)
    }


def _resized(x: tf.Tensor, height: int) -> tf.Tensor:
    """Return a map `[B, H, W, C]` with another height, and its width in proportion."""
    if x.shape[1] > height:
        return ops.average_pool(x, x.shape[1] // height, x.shape[1] // height)
    if x.shape[1] == height:
        return x
    times = height // x.shape[1]
    return ops.repeat(ops.repeat(x, times, axis=1), times, axis=2)


def _last_kernel(stage: keras.Model) -> keras.Variable | None:
    """Return the last kernel that makes as many channels as a stage hands on; None if there is none."""
    channels = stage.output.shape[-1]
    kernels = [v for v in stage.trainable_variables if v.name == "kernel" and v.shape[-1] == channels]
    return kernels[-1] if kernels else None


def overlap(kernel: tf.Tensor, subspaces: int) -> tf.Tensor:
    """Return the mean squared cosine between filters of different subspaces, a scalar from 0, orthogonal, to 1.

    The paper sums squared products. Batch normalisation follows the filters here, so that their length means nothing
    and such a sum would only shorten them.

    Args:
        kernel: `[..., C]`, C filters.
        subspaces: G, neighbouring equal groups of them.
    """
    filters = ops.normalize(ops.reshape(kernel, (-1, kernel.shape[-1])), axis=0)
    cosines = ops.matmul(ops.transpose(filters), filters)
    own = np.kron(np.eye(subspaces), np.ones((kernel.shape[-1] // subspaces,) * 2))
    return ops.sum(ops.square(cosines) * (1 - own)) / np.sum(1 - own)
