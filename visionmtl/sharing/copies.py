"""A backbone for each task, from shared first stages on, and the parameters that lie opposite each other in them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visionmtl.sharing.scheme import Maps, Stages, run_stages, split_after


class Copies:
    """The copies of a backbone that K tasks have, built alike.

    Attributes:
        features: each task's maps.
        variables: level -> for each task, the trained variables of its own stage; shared stages are not there.
    """

    def __init__(self, image, tasks: Mapping[str, Any], make_stages: Callable[[str], Stages], until: str | None):
        self.tasks = list(tasks)
        shared: Stages = make_stages("") if until else []
        split = split_after(until, shared)
        trunk = run_stages(shared[:split], image)
        last = trunk[shared[split - 1][0]] if split else image
        self.features: dict[str, Maps] = {}
        self.variables: dict[str, list[list]] = {}
        for task in tasks:
            own = make_stages(f"{task}_")[split:]
            self.features[task] = trunk | run_stages(own, last)
            for level, stage in own:
                self.variables.setdefault(level, []).append(list(stage.trainable_variables))

    def flat(self) -> list[list]:
        """Return each task's variables of all levels."""
        return [
            [variable for level in self.variables.values() for variable in level[place]]
            for place in range(len(self.tasks))
        ]

    def are_in(self, model: keras.Model) -> bool:
        """Return whether a model has all the copies, which one of fewer tasks may not."""
        there = {id(variable) for variable in model.variables}
        return all(id(variable) in there for own in self.flat() for variable in own)


@keras.saving.register_keras_serializable("visionmtl")
class Anchor(keras.layers.Layer):
    """Variables of the shapes of others, and at first of their values.

    Args:
        variables: what to copy.
        trainable: whether they are trained.
    """

    def __init__(self, variables: Sequence = (), trainable: bool = True, **kwargs):
        super().__init__(trainable=trainable, dtype="float32", **kwargs)
        self.places = [
            self.add_weight(name=str(place), shape=variable.shape, initializer="zeros", trainable=trainable)
            for place, variable in enumerate(variables)
        ]
        self.take(variables)
        self.built = True

    def take(self, variables: Sequence) -> None:
        """Copy the values of the variables."""
        for place, variable in zip(self.places, variables, strict=True):
            place.assign(variable)

    def call(self, inputs):
        return inputs


def tensors(variables: Sequence) -> list[tf.Tensor]:
    """Return variables as float32 tensors."""
    return [tf.cast(tf.convert_to_tensor(variable), tf.float32) for variable in variables]


def distances(copies: Copies) -> np.ndarray:
    """Return how far apart the tasks' parameters are `[K, K]`: the length of the difference over the mean length."""
    flat = [np.concatenate([np.ravel(np.asarray(one)) for one in own]) for own in copies.flat()]
    length = np.mean([np.linalg.norm(one) for one in flat]) or 1.0
    return np.array([[np.linalg.norm(one - other) / length for other in flat] for one in flat])
