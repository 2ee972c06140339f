"""What AdaMerging learns from: how undecided a merged model's tasks are on pictures without their labels."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visionmtl import keras_graph
from visionmtl.errors import UsageError
from visionmtl.merging import adamerging
from visionmtl.merging.task_vectors import Arrays
from visionmtl.model import MultiTaskModel
from visionmtl.tasks.task import Task

TOLD = 100  # steps between two lines of what is learnt


def refuse_undecidable(tasks: Mapping[str, Task], others: Sequence[str]) -> None:
    """Refuse tasks that choose among no classes, such as depth: their outputs have no entropy.

    Args:
        tasks: by name.
        others: methods that merge them all the same.

    Raises:
        UsageError: there is one.
    """
    without = [name for name, task in tasks.items() if type(task).entropy is Task.entropy]
    if without:
        raise UsageError(
            f"adamerging learns from the entropy of class scores, and task {', '.join(without)} has no classes: take"
            f" --method {' or '.join(others)}."
        )


def coefficients(
    model: MultiTaskModel,
    backbone: Sequence[keras.Model],
    variables: Sequence[keras.Variable],
    start: Arrays,
    vectors: Sequence[Arrays],
    batches: Iterable[Any],
    steps: int,
) -> np.ndarray:
    """Return the coefficient of each variable of each run `[T, L]`, learnt on batches; the variables are left changed.

    Args:
        model: with the runs' necks and heads, whose tasks all have an entropy.
        backbone: its stages, consecutive ones.
        variables: those of the backbone that are merged.
        start: their values before training.
        vectors: of each run, what training added to them.
        batches: of images, labels, which are not read, and weights; gone through again where they end.
        steps: a batch each.
    """
    gradient, seen = _gradient(model, backbone, variables), list[list[float]]()
    print(f"Learning {len(variables)} coefficients for each of {len(vectors)} runs, in {steps} steps ...", flush=True)
    endless = _again_and_again(batches)

    def slopes(added: Arrays) -> Arrays:
        for variable, at, more in zip(variables, start, added, strict=True):
            variable.assign(at + more)
        images, _, weights = next(endless)
        found, entropies = gradient(images, {name: weights[name] for name in model.tasks})
        seen.append([float(each) for each in entropies])
        if len(seen) == 1 or len(seen) % TOLD == 0 or len(seen) == steps:
            means = np.mean(seen[-TOLD:], axis=0)
            told = ", ".join(f"{name} {value:.3f}" for name, value in zip(model.tasks, means, strict=True))
            print(f"Step {len(seen)} of {steps}, entropy: {told}", flush=True)
        return [np.asarray(each) for each in found]

    return adamerging.learnt(vectors, slopes, steps)


def _again_and_again(batches: Iterable[Any]) -> Iterator[Any]:
    while True:
        yield from batches


def _gradient(
    model: MultiTaskModel, backbone: Sequence[keras.Model], variables: Sequence[keras.Variable]
) -> Callable[[Any, Any], tuple[list[tf.Tensor], list[tf.Tensor]]]:
    """Return a function of images and weights that gives the gradient of the sum of entropies, and these, one a task.

    Batch normalisations of the backbone take the statistics of the batch, as a merged network has others than its
    parts; those of necks and heads their own, and no dropout drops. A task's entropy is the mean over the pictures that
    are labelled for it: where runs have several data sets, those of its own.
    """
    made = {id(node.operation): node.outputs for node in keras_graph.ordered(model)}
    features = [feature for stage in backbone for feature in made[id(stage)]]
    behind = keras.Model([model.input, *features], model.output)

    @tf.function(autograph=False)
    def gradient(images: tf.Tensor, weights: Mapping[str, tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            x, maps = tf.cast(images, tf.float32), []
            for stage in backbone:
                x = stage(x, training=True)
                maps.append(x)
            outputs = behind([tf.cast(images, tf.float32), *maps], training=False)
            entropies = []
            for name, task in model.tasks.items():
                entropy, weight = task.entropy(model.raw_outputs(name, outputs)), tf.cast(weights[name], tf.float32)
                entropies.append(tf.math.divide_no_nan(tf.reduce_sum(entropy * weight), tf.reduce_sum(weight)))
            total = tf.add_n(entropies)
        values = [variable.value for variable in variables]
        return tape.gradient(total, values, unconnected_gradients=tf.UnconnectedGradients.ZERO), entropies

    return gradient
