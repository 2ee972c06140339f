"""Where in a step what is not finite comes from: the batch, a weight, a layer, a task's loss or its gradient."""

import math
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from visionmtl import keras_graph
from visionmtl.checkpoints.state import unfinished
from visionmtl.step.admission import Batch
from visionmtl.step.update import untouched


class Diagnosis(NamedTuple):
    """What was seen of a batch in a model.

    Attributes:
        losses: the tasks' mean losses, of those with labels.
        norms: of each of these tasks, the length of the gradient of its loss.
        other: the sum of the losses that are no task's.
        images: how many numbers of the images are not finite.
        labels: the tasks whose loss and labels are not finite.
        weight: the path of the first weight that is not finite, or None.
        layer: the name of the first layer whose output is not finite, with its number type, or None.
    """

    losses: dict[str, float]
    norms: dict[str, float]
    other: float
    images: int
    labels: list[str]
    weight: str | None
    layer: tuple[str, str] | None

    @property
    def finite(self) -> bool:
        """Whether all losses and gradients are finite."""
        return all(math.isfinite(value) for value in (*self.losses.values(), *self.norms.values(), self.other))

    def cause(self) -> str:
        """Return, in a sentence, where what is not finite comes from first."""
        if self.images:
            return f"The images have {self.images:,} numbers that are not finite: look at how they are read."
        if self.weight is not None:
            return f"The weight '{self.weight}' is not finite: no batch can be learnt from any more."
        if self.layer is not None:
            name, kind = self.layer
            return f"The output of layer '{name}' ({kind}) is the first that is not finite."
        if self.labels:
            return f"The labels of {_listed(self.labels)} are not finite, and so is the loss."
        if wrong := [task for task, loss in self.losses.items() if not math.isfinite(loss)]:
            return f"The loss of {_listed(wrong)} is not finite though all layers' outputs are."
        if wrong := [task for task, norm in self.norms.items() if not math.isfinite(norm)]:
            return f"The gradient of {_listed(wrong)} is not finite though the loss is."
        if not math.isfinite(self.other):
            return "A loss that is no task's, as of a layer or the sharing scheme, is not finite."
        return "All losses, layers' outputs and gradients are finite here."


def diagnose(model: Any, batch: Batch) -> Diagnosis:
    """Look at a batch, layer by layer and task by task, as a training step of a BalancedModel would; move nothing.

    Args:
        model: compiled.
        batch: in the form of the contract, as `Guard.last` has it.
    """
    batch = tf.nest.map_structure(tf.convert_to_tensor, batch)
    means, other, lengths, present = (value.numpy() for value in tf.function(_measured, autograph=False)(model, batch))
    there = [place for place in range(len(present)) if present[place] > 0]
    losses, norms = ({model.task_names[place]: float(of[place]) for place in there} for of in (means, lengths))
    wrong = [task for task, loss in losses.items() if not math.isfinite(loss)]
    return Diagnosis(
        losses=losses,
        norms=norms,
        other=float(other),
        images=sum(_unfinished(images) for images in tf.nest.flatten(batch.images)),
        labels=[task for task in wrong if any(map(_unfinished, tf.nest.flatten(batch.labels[task])))],
        weight=unfinished(model.weights),
        layer=_layer(model, batch.images),
    )


def _layer(model: keras.Model, images: Any) -> tuple[str, str] | None:
    """Return the first layer, within models within a functional model too, whose output is not finite."""
    nodes = keras_graph.ordered(model)
    with untouched(model.non_trainable_variables):
        made = iter(keras.Model(model.input, [out for node in nodes for out in node.outputs])(images, training=True))
    values = {id(symbol): value for symbol, value in zip(model.inputs, keras.tree.flatten(images), strict=True)}
    for node in nodes:
        values |= {id(symbol): next(made) for symbol in node.outputs}
        wrong = next((values[id(symbol)] for symbol in node.outputs if _unfinished(values[id(symbol)])), None)
        if wrong is not None:
            inner = node.operation
            given = [values[id(symbol)] for symbol in node.input_tensors]
            if isinstance(inner, keras.Model) and len(inner.inputs) == len(given):
                return _layer(inner, keras.tree.pack_sequence_as(inner.input, given)) or (inner.name, wrong.dtype.name)
            return inner.name, wrong.dtype.name
    return None


def _measured(model: Any, batch: Batch) -> tuple[tf.Tensor, ...]:
    """Return the tasks' mean losses `[K]`, the sum of all others, the lengths of their gradients and who is present.

    In graph, as a step is: there and eagerly, kernels differ in what they make of NaN.
    """
    optimizer, variables = model.optimizer, model.trainable_variables
    with untouched(model.non_trainable_variables), tf.GradientTape(persistent=True) as tape:
        tasks = model.task_losses(batch.labels, model(batch.images, training=True), batch.weights)
        other = model.other_loss()
        targets = [optimizer.scale_loss(loss) for loss in tasks.local]
    scale, lengths = optimizer.scale_loss(tf.constant(1.0)), []
    for target in targets:
        gradients = [value for value in tape.gradient(target, variables) if value is not None]
        lengths.append(tf.linalg.global_norm([tf.cast(value, tf.float32) / scale for value in gradients]))
    return tasks.means, other, tf.stack(lengths), tasks.present


def _unfinished(values: tf.Tensor) -> int:
    """Return how many numbers are not finite."""
    return int(np.sum(~np.isfinite(tf.cast(values, tf.float32)))) if values.dtype.is_floating else 0


def _listed(tasks: list[str]) -> str:
    return ", ".join(f"'{task}'" for task in tasks)
