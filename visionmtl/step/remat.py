"""Rematerialisation: what lies within some layers is not kept for the way back, but computed again on it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.common.stateless_scope import in_stateless_scope

from visionmtl.errors import UsageError


class Rematerialised:
    """The `call` of a layer that keeps what it reads and what it makes, and nothing between.

    Keras's own `RematScope` runs a layer a second time with all that it does: batch normalisations move their
    statistics twice a step, and dropout draws other units than were dropped. Here the layer is a function of its
    input and of the values of its variables, run twice on the same ones; what it moves is moved once.

    Args:
        layer: holds other layers, as a stage of a backbone.

    Reference: Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost.
    """

    def __init__(self, layer: keras.layers.Layer):
        self.layer, self.call = layer, layer.call

    def __call__(self, inputs: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        given = {} if training is None else {"training": training}
        if not training or in_stateless_scope():
            return self.call(inputs, *args, **given, **kwargs)
        layer = self.layer
        learnt, kept = layer.trainable_variables, layer.non_trainable_variables
        before = [tf.convert_to_tensor(variable) for variable in kept]
        known = list(zip(kept, before, strict=True))
        flat = tf.nest.flatten(inputs)
        slots = [place for place, tensor in enumerate(flat) if tf.as_dtype(tensor.dtype).is_floating]
        after: list[Any] = []

        def run(*tensors: tf.Tensor) -> Any:
            read, values = list(flat), tensors[len(slots) :]
            for place, tensor in zip(slots, tensors, strict=False):
                read[place] = tensor
            with keras.StatelessScope([*zip(learnt, values, strict=True), *known]) as scope:
                made = self.call(tf.nest.pack_sequence_as(inputs, read), *args, **given, **kwargs)
            if not after:  # on the way there
                after.extend(scope.get_current_value(variable) for variable in kept)
            return made

        made = tf.recompute_grad(run)(*(flat[place] for place in slots), *map(tf.convert_to_tensor, learnt))
        for variable, old, new in zip(kept, before, after, strict=True):
            if new is not old:
                variable.assign(new)
        if any(each._losses for each in layer._flatten_layers()):
            raise UsageError(f"remat has '{layer.name}', which adds a loss of its own: leave it out.")
        return made


def set_on(layers: Iterable[keras.layers.Layer], chosen: Sequence[keras.layers.Layer]) -> None:
    """Have those of some layers that are chosen be computed again on the way back, and the others not."""
    wanted = {id(layer) for layer in chosen}
    for layer in layers:
        own: dict[str, Callable] = vars(layer)
        if isinstance(own.get("call"), Rematerialised):
            del own["call"]
        if id(layer) in wanted:
            own["call"] = Rematerialised(layer)


def holds_layers(layer: keras.layers.Layer) -> bool:
    """Return whether there is something within a layer that could be computed again."""
    return len(list(layer._flatten_layers())) > 1
