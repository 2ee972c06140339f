"""A model of three outputs and the tables it learns, no image in sight, for processes of several workers too."""

import keras
import numpy as np
import tensorflow as tf

import visionmtl


def table_model(balancing, optimizer=None, **options):
    """A model trained by a balancer; `options` are those of `compile`."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6,))
    hidden = keras.layers.BatchNormalization(synchronized=True)(keras.layers.Dense(8)(x))
    hidden = keras.layers.Activation("tanh")(hidden)
    outputs = {task: keras.layers.Dense(count, name=task)(hidden) for task, count in (("a", 1), ("b", 3), ("c", 1))}
    model = visionmtl.BalancedModel(x, outputs)
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    loss = {"a": "mse", "b": entropy, "c": "mse"}
    model.compile(optimizer or keras.optimizers.SGD(0.02, momentum=0.9), loss=loss, balancing=balancing, **options)
    return model


def tables(rows=32, batch=8, seed=0):
    """Batches in which each task has labels for some rows."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 6)).astype("float32")
    labels = {"a": x[:, :1] * 2, "b": random.integers(0, 3, rows), "c": 0.3 * random.normal(size=(rows, 1))}
    labelled = {task: random.integers(0, 2, rows).astype("float32") for task in labels}
    return tf.data.Dataset.from_tensor_slices((x, labels, labelled)).batch(batch)
