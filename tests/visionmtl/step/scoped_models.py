"""A small model whose tasks part at two layers, its data, and how far a step moves its variables."""

import keras
import numpy as np
import tensorflow as tf

import visionmtl


def model_of(balancing="equal", rate=0.02, every=None, optimizer=None, **options):
    """Two tasks on a trunk of two layers, with a layer each and an output each; a third task on the first layer too."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6,), name="table")
    first = keras.layers.Dense(8, activation="tanh", name="first")(x)
    second = keras.layers.Dense(8, activation="tanh", name="second")(first)
    a = keras.layers.Dense(1, name="a")(keras.layers.Dense(4, activation="tanh", name="a_own")(second))
    b = keras.layers.Dense(1, name="b")(second)
    c = keras.layers.Dense(1, name="c")(keras.layers.Concatenate(name="c_own")([first, second, x]))
    model = visionmtl.BalancedModel(x, {"a": a, "b": b, "c": c})
    model.compile(optimizer or keras.optimizers.SGD(rate), dict.fromkeys("abc", "mse"), balancing=balancing, **options)
    model.conflicts.watch(every)
    return model


def table(rows=32):
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 6)).astype("float32")
    labels = {"a": x[:, :1] * 2, "b": -3 * x[:, :1] + x[:, 1:2], "c": 0.3 * random.normal(size=(rows, 1))}
    return x, {name: value.astype("float32") for name, value in labels.items()}


def batches():
    return tf.data.Dataset.from_tensor_slices(table()).batch(8)


def moves(model):
    """Return how far one step of rate 1 moves each variable, by path."""
    before = {v.path: np.asarray(v) for v in model.trainable_variables}
    logs = model.train_on_batch(*table(8), return_dict=True)
    moved = {v.path: before[v.path] - np.asarray(v) for v in model.trainable_variables}
    return moved, np.array([float(logs[f"weight/{task}"]) for task in "abc"])


def moves_alone():
    """The moves of each task alone."""
    by_task = []
    for task in "abc":
        model, (x, labels) = model_of(rate=1.0, run_eagerly=True), table(8)
        before = {v.path: np.asarray(v) for v in model.trainable_variables}
        model.train_on_batch(x, {task: labels[task]})
        by_task.append({v.path: before[v.path] - np.asarray(v) for v in model.trainable_variables})
    return by_task
