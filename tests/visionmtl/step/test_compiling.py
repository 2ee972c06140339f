"""Steps that XLA compiles, and what is refused of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scoped_models import model_of, table

import visionmtl
from visionmtl.errors import UsageError


def test_a_compiled_step_of_several_devices_is_refused(two_devices):
    with (
        tf.distribute.MirroredStrategy(two_devices).scope(),
        pytest.raises(UsageError, match="is of one device, as XLA cannot sum over the 2"),
    ):
        model_of(jit_compile=True)


@pytest.mark.slow
def test_an_operation_that_xla_does_not_know_is_told_in_a_sentence():
    def strange(truth, output):
        factor = tf.ensure_shape(tf.numpy_function(np.abs, [truth], tf.float32), output.shape)
        return (factor * output)[:, 0]

    x = keras.Input((6,))
    model = visionmtl.BalancedModel(x, {"a": keras.layers.Dense(1)(x)})
    model.compile("sgd", {"a": strange}, jit_compile=True)
    inputs, labels = table(8)
    with pytest.raises(UsageError, match=r"XLA cannot compile the training step: .*PyFunc.* Leave jit_compile"):
        model.fit(inputs, {"a": labels["a"]}, verbose=0)
