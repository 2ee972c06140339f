"""A training that processes of their own make together, or one alone: what it comes to, in a file.

    python several_workers.py OUT BALANCER...

trains a model by each of these balancers in turn; TF_CONFIG says with whom.
"""

import contextlib
import os
import sys

import numpy as np
import tensorflow as tf
from table_models import table_model, tables


def trained(balancing, scope):
    """Train a model by a balancer; return its weights and the logs of its epochs, by name, and the model."""
    with scope:
        model = table_model(balancing, metrics={"a": "mae"})
    held_back = tables(19, 12, seed=1)  # whose last batch is uneven
    history = model.fit(tables(36, 12), validation_data=held_back, epochs=2, shuffle=False, verbose=0).history
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
