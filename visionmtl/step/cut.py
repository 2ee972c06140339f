"""A forward pass, whole or cut where tasks part: there a task's gradient ends, at the features that the tasks share."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from visionmtl import keras_graph
from visionmtl.step.parting import Parting


class Pass(NamedTuple):
    """What a forward pass gave.

    Attributes:
        outputs: the model's, in its structure.
        features: maps where the pass is cut, as the trunk made them; none if it is not cut.
        leaves: the same as the heads read them: no gradient goes on from a leaf to the trunk.
    """

    outputs: Any
    features: Sequence[tf.Tensor] = ()
    leaves: Sequence[tf.Tensor] = ()


class CutModel(keras.layers.Layer):
    """Run a functional model so that no gradient goes on from its heads to its trunk.

    It has no layer of its own: what is called are the model's, as Keras calls them when it runs the model whole.

    Args:
        model: the model.
        parting: where its tasks part.

    Call: the model's inputs and the tape that is to watch the features as the heads read them -> `Pass`.
    """

    def __init__(self, model: keras.Model, parting: Parting):
        super().__init__(name=f"{model.name}_cut", dtype="float32", autocast=False)
        self.model, self.features = model, list(parting.features)
        self.heads = [
            node for node in keras_graph.ordered(model) if keras_graph.key(node.outputs[0]) not in parting.common
        ]
        known = {id(feature) for feature in self.features}
        read = {id(symbol): symbol for node in self.heads for symbol in node.input_tensors}
        # What leads to outputs without a loss may read of the trunk what is no task's feature.
        further = [s for s in read.values() if keras_graph.key(s) in parting.common and id(s) not in known]
        self.made = [*self.features, *further, *model.inputs]
        self.trunk = keras.Model(model.input, self.made, name=f"{model.name}_trunk")
        self.built = True

    def call(self, inputs: Any, tape: tf.GradientTape, training: bool | None = None) -> Pass:
        made = self.trunk(inputs, training=training)
        features = made[: len(self.features)]
        leaves = [tf.stop_gradient(feature) for feature in features]
        for leaf in leaves:
            tape.watch(leaf)
        tensors = [*leaves, *made[len(leaves) :]]
        read = {id(symbol): tensor for symbol, tensor in zip(self.made, tensors, strict=True)}
        for node in self.heads:
            args, kwargs = node.arguments.fill_in(read)
            if isinstance(node.operation, keras.layers.Layer):
                kwargs.pop("training", None)  # it is told by the call of this layer, as by that of a whole model
            results = keras.tree.flatten(node.operation(*args, **kwargs))
            read.update({id(symbol): tensor for symbol, tensor in zip(node.outputs, results, strict=True)})
        outputs = keras.tree.pack_sequence_as(self.model.output, [read[id(symbol)] for symbol in self.model.outputs])
        return Pass(outputs, features, leaves)
