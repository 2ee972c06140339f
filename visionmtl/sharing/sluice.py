"""Sluice networks: cross-stitch between parts of the channels, and a learnt mixture of the levels for every task.

Each task's channels fall into subspaces, and every subspace goes on with a learnt weighted sum of all, its own task's
too; after the necks, each level that a task's head reads is a learnt weighted sum of all levels. Take it where tasks
should share some of what they see and keep the rest to themselves. It costs a backbone and a neck for each task, less a
stem that `until` shares, and the resizing of every level to every other.
"""

from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from visionmtl.errors import UsageError
from visionmtl.layers import near_identity
from visionmtl.sharing.scheme import Matrix, Penalty, check_number
from visionmtl.sharing.side_by_side import SideBySide


class Sluice(SideBySide):
    """A backbone per task, mixed after every stage by subspaces of the channels, and levels mixed before the heads.

    Args:
        subspaces: S, into how many equal parts the channels fall; 1 or more.
        own: at the start, the weight of a subspace itself and of a level itself, 0 to 1; the same subspace of the other
            tasks, and the other levels, share the rest.
        orthogonality: strength of the penalty on subspaces of a task that hold the same filters, 0 or more; 0 for none.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Ruder et al. 2019, Latent Multi-Task Architecture Learning.
    """

    name = "sluice"

    def __init__(self, subspaces: int = 2, own: float = 0.9, orthogonality: float = 0.0, until: str | None = None):
        super().__init__(until)
        self.subspaces, self.own, self.orthogonality = subspaces, own, orthogonality

    def features(self, image, tasks, make_stages):
        check_number(self.name, "subspaces", self.subspaces, 1, whole=True)
        check_number(self.name, "orthogonality", self.orthogonality, 0)
        return super().features(image, tasks, make_stages)

    def join(self, level, maps):
        channels = next(iter(maps.values())).shape[-1]
        if channels % self.subspaces:
            raise UsageError(
                f"sharing 'sluice' was given subspaces={self.subspaces}, but the backbone's {level} has {channels}"
                " channels: choose a number that divides them."
            )
        unit = SubspaceStitch(self.subspaces, self.own, name=f"sluice_{level}")
        return dict(zip(maps, unit(list(maps.values())), strict=True))

    def mix(self, maps, tasks):
        mixed = {}
        for task, levels in maps.items():
            mixture = LevelMixture(self.own, name=f"sluice_levels_{task}")
            mixed[task] = dict(zip(levels, mixture(list(levels.values())), strict=True))
        self.read = list(next(iter(mixed.values())))
        return mixed

    def penalties(self):
        if not self.orthogonality or self.subspaces == 1:
            return []
        kernels = [_last_kernel(stage) for stages in self.stages.values() for _, stage in stages]
        return [Penalty(partial(self._overlap, kernel), [kernel]) for kernel in kernels if kernel is not None]

    def _overlap(self, kernel):
        return self.orthogonality * overlap(tf.convert_to_tensor(kernel), self.subspaces)

    def learnt(self, model):
        """Return what each subspace (row) takes of each (column) by level, and each level of each by task."""
        layers, found = {layer.name: layer for layer in model.layers}, {}
        parts = [f"{task} {part + 1}" for task in self.tasks for part in range(self.subspaces)]
        axes = {f"sluice_{level}": (f"subspaces {level}", parts) for level in self.levels}
        axes |= {f"sluice_levels_{task}": (f"levels {task}", self.read) for task in self.tasks}
        for layer, (title, names) in axes.items():
            if layer in layers:
                found[title] = Matrix(ops.convert_to_numpy(layers[layer].weight), names, names)
        return found

    def get_config(self):
        names = ("subspaces", "own", "orthogonality", "until")
        return {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("visionmtl")
class SubspaceStitch(keras.layers.Layer):
    """Mix K tensors by subspaces of their channels: each of the K * S parts becomes a weighted sum of all.

    A part starts near itself and the like parts of the other tensors, as backbones that start alike hold the same
    there; the paper starts from all parts of a task.

    Args:
        subspaces: S; the channels are a multiple of it.
        own: at the start, the weight of a part itself; see `layers.near_identity`.

    Call: a list of K tensors `[B, H, W, C]` -> a list of K tensors of that shape.
    """

    def __init__(self, subspaces=2, own=0.9, **kwargs):
        super().__init__(**kwargs)
        self.subspaces, self.own = subspaces, own

    def build(self, input_shape):
        start = np.kron(near_identity(len(input_shape), self.own), np.eye(self.subspaces, dtype="float32"))
        self.weight = self.add_weight(name="weight", shape=start.shape, initializer=lambda *_, **__: start)
        super().build(input_shape)

    def call(self, inputs):
        parts = ops.stack([part for x in inputs for part in ops.split(x, self.subspaces, axis=-1)])
        mixed = ops.matmul(self.weight, ops.reshape(parts, (parts.shape[0], -1)))
        mixed = ops.unstack(ops.reshape(mixed, ops.shape(parts)))
        starts = range(0, len(mixed), self.subspaces)
        return [ops.concatenate(mixed[start : start + self.subspaces], axis=-1) for start in starts]

    def compute_output_shape(self, input_shape):
        return list(input_shape)

    def get_config(self):
        return super().get_config() | {"subspaces": self.subspaces, "own": self.own}


@keras.saving.register_keras_serializable("visionmtl")
class LevelMixture(keras.layers.Layer):
    """Make each level of a pyramid a learnt weighted sum of all: coarser ones repeat pixels, finer ones average them.

    Args:
        own: at the start, the weight of a level itself; the others share the rest.

    Call: a list of L maps `[B, H, W, C]`, whose sides divide each other -> a list of L maps of these shapes.
    """

    def __init__(self, own=0.9, **kwargs):
        super().__init__(**kwargs)
        self.own = own

    def build(self, input_shape):
        start = near_identity(len(input_shape), self.own)
        self.weight = self.add_weight(name="weight", shape=start.shape, initializer=lambda *_, **__: start)
        super().build(input_shape)

    def call(self, inputs):
        rows = [ops.unstack(row) for row in ops.unstack(self.weight)]
        return [
            tf.add_n([weight * _resized(x, like.shape[1]) for weight, x in zip(row, inputs, strict=True)])
            for row, like in zip(rows, inputs, strict=True)
        ]

    def compute_output_shape(self, input_shape):
        return list(input_shape)

    def get_config(self):
        return super().get_config() | {"own": self.own}


def _resized(x, height: int):
    """Return a map `[B, H, W, C]` with another height, and its width in proportion."""
    if x.shape[1] > height:
        return ops.average_pool(x, x.shape[1] // height, x.shape[1] // height)
    if x.shape[1] == height:
        return x
    times = height // x.shape[1]
    return ops.repeat(ops.repeat(x, times, axis=1), times, axis=2)


def _last_kernel(stage: keras.Model):
    """Return the last kernel that makes as many channels as a stage hands on; None if there is none."""
    channels = stage.output.shape[-1]
    kernels = [one for one in stage.trainable_variables if one.name == "kernel" and one.shape[-1] == channels]
    return kernels[-1] if kernels else None


def overlap(kernel, subspaces: int):
    """Return the mean squared cosine between filters of different subspaces, a scalar from 0, orthogonal, to 1.

    The paper sums squared products; normalisation follows the filters here, so that their length means nothing and
    would only shrink.

    Args:
        kernel: `[..., C]`, C filters.
        subspaces: S, consecutive equal parts of them.
    """
    filters = ops.normalize(ops.reshape(kernel, (-1, kernel.shape[-1])), axis=0)
    cosines = ops.matmul(ops.transpose(filters), filters)
    own = np.kron(np.eye(subspaces), np.ones((kernel.shape[-1] // subspaces,) * 2))
    return ops.sum(ops.square(cosines) * (1 - own)) / np.sum(1 - own)
