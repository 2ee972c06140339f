"""A backbone for every task, tied by penalties alone: what `soft` and `relation` have in common."""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from visionmtl.sharing.base.scheme import Scheme
from visionmtl.sharing.base.stages import Stages, run_stages, stem_and_branches

Kernels = list[list]  # of one level: for each kernel of a backbone, the K variables of the tasks


class Branches(Scheme):
    """A backbone for every task, or a branch of one after a stem that all share.

    What can be tied are the kernels: trained variables of two dimensions or more. Biases and the scales and offsets of
    normalisations stay each task's own, as their moving statistics do.

    Args:
        until: the last level of a stem that all tasks share; None gives each task a whole backbone.
    """

    branches: dict[str, Stages]  # of each task, in the order of the model
    kernels: dict[str, Kernels]  # by level; what was trained when the model was built, though it be frozen since

    def __init__(self, until: str | None = None):
        self.until = until

    def features(self, image, tasks, make_stages):
        stem, start, self.branches = stem_and_branches(self.name, self.until, image, tasks, make_stages)
        self.kernels = {
            stages[0][0]: [list(one) for one in zip(*(_kernels(stage) for _, stage in stages), strict=True)]
            for stages in zip(*self.branches.values(), strict=True)
        }
        return {task: stem | run_stages(stages, start) for task, stages in self.branches.items()}

    def kept(self, model: keras.Model) -> list[str]:
        """Return the tasks whose branches a model has."""
        there = {layer.name for layer in model.layers}
        return [task for task, stages in self.branches.items() if all(stage.name in there for _, stage in stages)]

    def get_config(self):
        return {"until": self.until}


def _kernels(stage: keras.Model) -> list:
    return [variable for variable in stage.trainable_variables if len(variable.shape) > 1]


def stack(variables: Sequence) -> tf.Tensor:
    """Return variables of one shape as they are now, a row each, float32 `[K, P]`."""
    return tf.stack([tf.reshape(tf.cast(tf.convert_to_tensor(variable), tf.float32), [-1]) for variable in variables])


@keras.saving.register_keras_serializable("visionmtl")
class Parameters(keras.layers.Layer):
    """Variables that no map passes through.

    Args:
        shapes: of each variable, by name.
        trainable: whether they are trained.
    """

    def __init__(self, shapes: Mapping[str, Sequence[int]], **kwargs):
        super().__init__(**kwargs)
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self.values = [
            self.add_weight(name=name, shape=shape, initializer="zeros", dtype="float32")
            for name, shape in self.shapes.items()
        ]
        self.built = True

    @classmethod
    def like(cls, levels: Mapping[str, Kernels], name: str, trainable: bool) -> "Parameters":
        """Return a copy of the first task's kernels of some levels, which are as yet the same as every other's."""
        first = {f"{level}_{place}": kernel[0] for level in levels for place, kernel in enumerate(levels[level])}
        copy = cls({key: variable.shape for key, variable in first.items()}, name=name, trainable=trainable)
        for value, variable in zip(copy.values, first.values(), strict=True):
            value.assign(variable)
        return copy

    def of(self, level: str) -> list:
        """Return the variables of a level, in the order of its kernels."""
        named = zip(self.shapes, self.values, strict=True)
        return [value for name, value in named if name.rpartition("_")[0] == level]

    def call(self, inputs):
        return inputs

    def get_config(self):
        return super().get_config() | {"shapes": self.shapes}
