"""Sluice networks: a backbone for every task, whose maps are split into subspaces that are mixed after every stage.

Each task's map has parts of its own: which part of which task flows into which is learnt, and so is how much of every
level reaches the task's neck. Take it where cross-stitch units should be able to share one half of a map and keep the
other. It costs a backbone and a neck for each task, less a stem that `until` shares; the units themselves are free.
"""

import keras
import numpy as np
from keras import ops

from visionmtl.errors import UsageError
from visionmtl.layers import CrossStitch
from visionmtl.sharing.scheme import Matrix, check_number
from visionmtl.sharing.side_by_side import SideBySide


@keras.saving.register_keras_serializable("visionmtl")
class SubspaceStitch(CrossStitch):
    """Mix the subspaces of K tensors, groups of their channels, by one learnt weight a pair of subspaces.

    Args:
        subspaces: G, groups of neighbouring channels.
        own: as for `CrossStitch`, of a subspace.
        speed: as for `CrossStitch`.

    Call: a list of K tensors `[B, ..., C]`, C a multiple of G -> a list of K tensors of that shape.

    Raises:
        UsageError: C is no multiple of G.
    """

    def __init__(self, subspaces=2, own=0.9, speed=10.0, **kwargs):
        super().__init__("layer", own, speed, **kwargs)
        self.subspaces = subspaces

    def build(self, input_shape):
        channels = input_shape[0][-1]
        if channels % self.subspaces:
            raise UsageError(
                f"sharing 'sluice' was given subspaces={self.subspaces}, which do not divide the {channels} channels of"
                f" '{self.name}': choose a divisor of {channels}."
            )
        parts = [(*tuple(shape)[:-1], channels // self.subspaces) for shape in input_shape]
        super().build([shape for shape in parts for _ in range(self.subspaces)])

    def call(self, inputs):
        G = self.subspaces
        mixed = super().call([part for x in inputs for part in ops.split(x, G, axis=-1)])
        return [ops.concatenate(mixed[place : place + G], axis=-1) for place in range(0, len(mixed), G)]

    def get_config(self):
        config = super().get_config() | {"subspaces": self.subspaces}
        config.pop("units")
        return config


@keras.saving.register_keras_serializable("visionmtl")
class SkipMixture(keras.layers.Layer):
    """Multiply each of L maps by a learnt number of its own, 1 at the start: how much of every depth a task reads.

    Call: a list of L tensors -> a list of L tensors of the same shapes.
    """

    def build(self, input_shape):
        self.weight = self.add_weight(name="weight", shape=(len(input_shape),), initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        return [x * ops.cast(weight, x.dtype) for x, weight in zip(inputs, ops.unstack(self.weight), strict=True)]

    def compute_output_shape(self, input_shape):
        return list(input_shape)


class Sluice(SideBySide):
    """A backbone per task, whose subspaces are mixed after every stage; a learnt mixture of depths for each task.

    Args:
        subspaces: groups of channels of each map, at least 1; they divide the channels of every level.
        own: at the start, the weight of a subspace itself, 0 to 1; all other subspaces share the rest.
        until: the last level of a stem that all tasks share, such as "P2"; None gives each task a whole backbone.

    Reference: Ruder et al. 2019, Latent Multi-Task Architecture Learning (sluice networks). The mixture of depths
    weighs each level's map before the neck adds levels up, where the paper adds layers of one size.
    """

    name = "sluice"

    def __init__(self, subspaces: int = 2, own: float = 0.9, until: str | None = None):
        super().__init__(until)
        self.subspaces, self.own = check_number(self.name, "subspaces", subspaces, 1, whole=True), own

    def features(self, image, tasks, make_stages):
        features = super().features(image, tasks, make_stages)
        mixed = {}
        for task, maps in features.items():
            self.levels = list(maps)
            weighed = SkipMixture(name=f"sluice_{task}_skips")(list(maps.values()))
            mixed[task] = dict(zip(maps, weighed, strict=True))
        return mixed

    def join(self, level, maps):
        unit = SubspaceStitch(self.subspaces, self.own, name=f"sluice_{level}")
        return dict(zip(maps, unit(list(maps.values())), strict=True))

    def learnt(self, model):
        """Return what each subspace (row) takes of each (column), by level, and how much each task reads of a level."""
        G = range(1, self.subspaces + 1)
        names = [f"{task} {part}" for task in self.tasks for part in G] if len(G) > 1 else self.tasks
        found, skips = {}, {}
        for layer in model.layers:
            if isinstance(layer, SubspaceStitch):
                title = layer.name.replace("sluice_", "sluice ")
                found[title] = Matrix(ops.convert_to_numpy(layer.weight), names, names)
            elif isinstance(layer, SkipMixture):
                task = layer.name.removeprefix("sluice_").removesuffix("_skips")
                skips[task] = ops.convert_to_numpy(layer.weight)
        return found | {"depths": Matrix(np.stack(list(skips.values())), list(skips), self.levels)}

    def get_config(self):
        return {"subspaces": self.subspaces, "own": self.own, "until": self.until}
