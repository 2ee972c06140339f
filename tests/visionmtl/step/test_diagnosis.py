"""Where what is not finite comes from: told of images, a weight, a layer, labels and a gradient; nothing is moved."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_finite import batches, model_of, root

from visionmtl.step.admission import Batch


def batch_of(where="label", value=1.0):
    x, labels = next(iter(batches(where, value, bad=0)))
    return Batch(x.numpy(), {name: label.numpy() for name, label in labels.items()}, {})


def weight(model):
    model.layers[1].kernel.assign(model.layers[1].kernel + np.nan)


def overflow(model):
    model.layers[1].kernel.assign(model.layers[1].kernel * 0 + 3e38)


def root_of_zero(model):
    model.compile("adam", {"a": "mse", "b": root, "c": "mse"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "batch", "told"),
    [
        (lambda model: None, batch_of(), "All losses, layers' outputs and gradients are finite here."),
        (lambda model: None, batch_of("input", np.inf), "The images have 6 numbers that are not finite"),
        (weight, batch_of(), "The weight 'dense/kernel' is not finite"),
        (overflow, batch_of(), "The output of layer 'dense' (float32) is the first that is not finite."),
        (lambda model: None, batch_of(value=np.nan), "The labels of 'b' are not finite, and so is the loss."),
        (lambda model: None, batch_of(value=3e38), "The loss of 'b' is not finite though all layers' outputs are."),
        (root_of_zero, batch_of(value=9.0), "The gradient of 'b' is not finite though the loss is."),
    ],
)
def test_the_first_cause_is_told_and_nothing_moves(spoil, batch, told):
    keras.backend.clear_session()  # layers are named from the start
    model = model_of()
    spoil(model)
    before = [np.asarray(variable) for variable in model.variables]
    found = model.diagnose(batch)
    assert found.cause().startswith(told)
    assert found.finite == told.startswith("All")
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), value)


@pytest.mark.slow
def test_a_model_of_several_devices_is_looked_into_too(two_devices):
    with tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice()).scope():
        model = model_of("mgda")
    model.fit(batches(), verbose=0, callbacks=[])
    assert np.asarray(model.guard.last.batch.images).shape == (8, 6)
    assert "labels of 'b' are not finite" in model.diagnose(model.guard.last.batch).cause()
