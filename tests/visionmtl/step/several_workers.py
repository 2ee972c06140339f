"""A training that processes of their own make together, or one alone: what it comes to, in a file.

    python several_workers.py OUT BALANCER...

trains a model by each of these balancers in turn; TF_CONFIG says with whom.
"""

import contextlib
import os
import sys

import keras
import numpy as np
import tensorflow as tf

import visionmtl


def tables_model(balancing):
    """A model of three outputs on tables, trained by a balancer."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6,))
    hidden = keras.layers.BatchNormalization(synchronized=True)(keras.layers.Dense(8)(x))
    hidden = keras.layers.Activation("tanh")(hidden)
    outputs = {task: keras.layers.Dense(count, name=task)(hidden) for task, count in (("a", 1), ("b", 3), ("c", 1))}
    model = visionmtl.BalancedModel(x, outputs)
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    loss = {"a": "mse", "b": entropy, "c": "mse"}
    model.compile(keras.optimizers.SGD(0.02, momentum=0.9), loss=loss, metrics={"a": "mae"}, balancing=balancing)
    return model


def tables(images, seed):
    """Rows in which each task is labelled for some, in batches of 12."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(images, 6)).astype("float32")
    labels = {"a": x[:, :1] * 2, "b": random.integers(0, 3, images), "c": 0.3 * random.normal(size=(images, 1))}
    labelled = {task: random.integers(0, 2, images).astype("float32") for task in labels}
    return tf.data.Dataset.from_tensor_slices((x, labels, labelled)).batch(12)


def trained(balancing, scope):
    """Train a model by a balancer; return its weights and the logs of its epochs, by name, and the model."""
    with scope:
        model = tables_model(balancing)
    held_back = tables(19, 1)  # whose last batch is uneven
    history = model.fit(tables(36, 0), validation_data=held_back, epochs=2, shuffle=False, verbose=0).history
    found = {f"{balancing} weight {place}": weight for place, weight in enumerate(model.get_weights())}
    return found | {f"{balancing} log {log}": np.array(values) for log, values in history.items()}, model


def all_trained(names, strategy=None):
    """Train models in turn; return what they come to, and the last of them."""
    found, model = {}, None
    for name in names:
        own, model = trained(name, contextlib.nullcontext() if strategy is None else strategy.scope())
        found |= own
    return found, model


def main(out, *names):
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    found, model = all_trained(names, strategy)
    if model.workers.is_chief:  # alone: the others are at their end
        model.save(out + ".keras")
        inputs = np.zeros((5, *model.input.shape[1:]), "float32")
        found |= {f"predicted {name}": value for name, value in model.predict(inputs, verbose=0).items()}
    np.savez(out, **found)
    model.workers.meet()


if __name__ == "__main__":
    assert "TF_CONFIG" in os.environ
    main(*sys.argv[1:])
