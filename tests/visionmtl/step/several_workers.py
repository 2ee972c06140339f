"""A training that processes of their own make together, or one alone: what it comes to, in a file.

    python several_workers.py OUT NAME...

trains a model by each of these balancers, or of each of these schemes, in turn; TF_CONFIG says with whom.
"""

import contextlib
import os
import sys

import keras
import numpy as np
import tensorflow as tf
import toys
from table_models import table_model, tables

from visionmtl import sharing

EAGER = ("graddrop", "moco", "db_mtl", "modo")  # operation by operation: tracing them takes longer than they do
ROWS = 31  # in batches of 12, of which the last is uneven: 4 and 3 of two workers


def scheme_model(scheme):
    """A model of two tasks that share by a scheme; it runs operation by operation, as tracing it takes seconds."""
    tasks = [toys.task("scene", "place"), toys.task("scene", "season")]
    keras.utils.set_random_seed(0)  # before the backbone
    neck = {"channels": 4, "context": "none"}
    backbone = toys.backbone(channels=4, size=16)
    model = toys.model(tasks, sharing=scheme, backbone=backbone, image_shape=(16, 16, 3), neck=neck)
    model.compile(keras.optimizers.SGD(0.02), balancing="uncertainty", run_eagerly=True)
    return model


def balanced_model(name):
    """A model of tables that is trained by a balancer, by two batches an update where it is "accumulated"."""
    accumulated, options = name.startswith("accumulated "), {}
    if accumulated:  # updates of which one takes the last batch of an epoch and the first of the next
        optimizer = keras.optimizers.SGD(0.05, momentum=0.9, weight_decay=0.01, gradient_accumulation_steps=2)
        options = {"optimizer": optimizer, "clip_norm": 0.5}
    return table_model(
        method(name.removeprefix("accumulated ")), metrics={"a": "mae"}, run_eagerly=name in EAGER, **options
    )


def scenes(images, seed):
    """Batches of pictures in which each of the two tasks has labels for some."""
    tasks = [toys.task("scene", "place"), toys.task("scene", "season")]
    pictures, labels, weights = toys.batch(tasks, images, size=16, seed=seed)
    for place, weight in enumerate(weights.values()):
        weight[place::3] = 0.0
    return tf.data.Dataset.from_tensor_slices((pictures, labels, weights)).batch(12)


def trained(name, scope):
    """Train a model by a balancer, or of a scheme; return its weights and the logs of its epochs, and the model."""
    with scope:
        model = scheme_model(name) if name in sharing.names() else balanced_model(name)
    data, held_back, epochs = tables(ROWS, 12), tables(19, 12, seed=1), 2
    if name in sharing.names():
        data, held_back, epochs = scenes(11, seed=0), scenes(7, seed=1), 1
    history = model.fit(data, validation_data=held_back, epochs=epochs, shuffle=False, verbose=0).history
    found = {f"{name} weight {place}": weight for place, weight in enumerate(model.get_weights())}
    return found | {f"{name} log {log}": np.array(values) for log, values in history.items()}, model


def method(name):
    """A balancer by its name, behind which a scope may stand: "pcgrad features"."""
    balancer, *scope = name.split()
    return {"method": balancer, "scope": scope[0]} if scope else balancer


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
