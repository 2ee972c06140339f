"""A model cut where its tasks part computes what it computes whole, and lets no gradient through the cut."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl.step.cut import CutModel
from visionmtl.step.parting import parting


def model_of(seed=0):
    """Two tasks on a trunk, and a third output without a loss that reads the trunk where no task does."""
    keras.utils.set_random_seed(seed)
    x, y = keras.Input((4,), name="x"), keras.Input((1,), name="y")
    first = keras.layers.Dense(6, activation="tanh", name="first")(keras.layers.Concatenate()([x, y]))
    second = keras.layers.Dense(6, name="second", activity_regularizer="l2")(first)
    second = keras.layers.BatchNormalization(name="normal")(keras.layers.Dropout(0.5, seed=1)(second))
    twice = keras.layers.Dense(6, name="twice", activity_regularizer="l2")
    outputs = {
        "a": keras.layers.Dense(1, name="a")(twice(twice(second))),
        "b": keras.layers.Dense(1, name="b")(second + keras.ops.mean(x)),
        "free": keras.layers.Dense(1, name="free")(first),
    }
    model = visionmtl.BalancedModel({"x": x, "y": y}, outputs)
    model.compile("sgd", {"a": "mse", "b": "mse"})
    return model


def inputs():
    random = np.random.default_rng(0)
    return {"x": random.normal(size=(8, 4)), "y": random.normal(size=8)}  # float64, and a rank to be adapted


@pytest.mark.slow
def test_the_outputs_and_the_losses_of_layers_are_those_of_the_whole_model():
    whole, model = model_of(), model_of()
    cut = CutModel(model, parting(model, model.task_outputs()))
    for _ in range(2):  # the losses are those of the last call alone, as in Keras
        expected = whole(inputs(), training=True)
        with tf.GradientTape() as tape:
            ran = cut(inputs(), tape=tape, training=True)
    for name, value in expected.items():
        np.testing.assert_array_equal(ran.outputs[name], value)
    assert len(model.losses) == len(whole.losses) == 3
    np.testing.assert_array_equal(model.losses, whole.losses)
    for variable, other in zip(model.variables, whole.variables, strict=True):
        np.testing.assert_array_equal(variable, other)


def test_a_gradient_ends_at_the_features_as_the_heads_read_them():
    model = model_of()
    cut = CutModel(model, parting(model, model.task_outputs()))
    with tf.GradientTape(persistent=True) as tape:
        ran = cut(inputs(), tape=tape, training=True)
        loss = tf.reduce_sum(ran.outputs["a"])
    trunk, head = model.get_layer("second").kernel, model.get_layer("a").kernel
    assert tape.gradient(loss, trunk.value) is None
    assert tape.gradient(loss, head.value) is not None
    seeds = tape.gradient(loss, ran.leaves)
    assert tape.gradient(ran.features, trunk.value, seeds) is not None


@pytest.mark.slow
def test_nothing_of_a_cut_is_saved_or_counted_with_its_model(tmp_path):
    model = model_of()
    before = [variable.path for variable in model.variables]
    model.compile("sgd", {"a": "mse", "b": "mse"}, balancing={"method": "mgda", "scope": "features"})
    labels = {"a": np.ones((8, 1)), "b": np.ones((8, 1))}
    model.train_on_batch(inputs(), labels)
    assert [variable.path for variable in model.variables] == before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for variable, other in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(variable, other)
