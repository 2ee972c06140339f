"""Gradients compared at one level: by the parameters of its stage alone, for weights whose update is exact."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scoped_models import table

import visionmtl
from visionmtl import balancing
from visionmtl.errors import UsageError


def model_of(balancing="equal", rate=1.0, **options):
    """Two tasks on four layers, three of which are named as levels; the third also reads the first."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6,), name="table")
    first = keras.layers.Dense(8, activation="tanh", name="P2")(x)
    second = keras.layers.Dense(8, activation="tanh", name="P3")(first)
    third = keras.layers.Concatenate(name="neck")([second, first])
    third = keras.layers.Dense(8, activation="tanh", name="joined")(third)
    own = keras.layers.Dense(8, activation="tanh", name="P4")(third)
    outputs = {"a": third, "b": third, "c": own}
    model = visionmtl.BalancedModel(x, {name: keras.layers.Dense(1, name=name)(y) for name, y in outputs.items()})
    options = {"run_eagerly": True} | options
    model.compile(keras.optimizers.SGD(rate), dict.fromkeys("abc", "mse"), balancing=balancing, **options)
    return model


def by_hand(model):
    """Return each task's gradient of its mean loss by every variable, by path, worked out by plain tapes."""
    x, labels = table(8)
    rows = []
    for task in "abc":
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x)[task] - labels[task]) ** 2)
        found = tape.gradient(loss, [v.value for v in model.trainable_variables], unconnected_gradients="zero")
        rows.append({v.path: one.numpy() for v, one in zip(model.trainable_variables, found, strict=True)})
    return rows


def gramian(rows, layer):
    flat = np.stack([np.concatenate([row[f"{layer}/{part}"].ravel() for part in ("kernel", "bias")]) for row in rows])
    return flat @ flat.T


@pytest.mark.parametrize("level", ["P3", "P2"])  # before P2 there is nothing to cut off
def test_a_level_has_the_gramian_of_its_own_parameters_and_the_update_is_exact(level):
    model = model_of({"method": "mgda", "scope": level})
    rows = by_hand(model)
    expected = balancing.get("mgda").weights(gramian(rows, level)).numpy()
    assert expected.std() > 0.1
    before = {v.path: np.asarray(v) for v in model.trainable_variables}
    model.train_on_batch(*table(8))
    seen = model.conflicts.read()
    np.testing.assert_allclose(seen["norms"] ** 2, np.diag(gramian(rows, level)), rtol=1e-4)
    np.testing.assert_allclose(seen["weights"], expected, rtol=1e-4)
    for variable in model.trainable_variables:
        path, shared = variable.path, variable.path.split("/")[0] in ("P2", "P3", "joined")
        factors = expected if shared else np.ones(3)
        moved = sum(factor * row[path] for factor, row in zip(factors, rows, strict=True))
        np.testing.assert_allclose(before[path] - np.asarray(variable), moved, atol=1e-5)


def test_no_task_goes_back_behind_the_level():
    model = model_of({"method": "mgda", "scope": "P3"})
    features = model.plans.comparing.cut.features
    assert [feature._keras_history.operation.name for feature in features] == ["P2"]
    assert [v.path for v in model.plans.shared()] == ["P3/kernel", "P3/bias"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, of in balancing.BALANCERS.items() if of.family == "gradient"])
def test_every_method_weighs_by_what_is_seen_at_the_level(name):
    model = model_of({"method": name, "scope": "P3"})
    seen = gramian(by_hand(model), "P3")
    model.train_on_batch(*table(8))
    weights = model.conflicts.read()["weights"]
    assert np.isfinite(weights).all()
    if model.balancer.sub_batches == 1:
        np.testing.assert_allclose(weights, balancing.get(name).weights(seen).numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gradvac", "modo"])
def test_a_method_is_the_same_on_two_devices_and_after_a_restart(name, two_devices, tmp_path):
    x, labels = table(32)
    data = tf.data.Dataset.from_tensor_slices((x, labels)).batch(8)
    how = {"balancing": {"method": name, "scope": "P3", "update_every": 2}, "rate": 0.02, "run_eagerly": False}
    whole, first = model_of(**how), model_of(**how)
    with tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice()).scope():
        mirrored = model_of(**how)
    for model, epochs in ((whole, 4), (mirrored, 4), (first, 2)):
        model.fit(data, epochs=epochs, shuffle=False, verbose=0)
    first.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.fit(data, initial_epoch=2, epochs=4, shuffle=False, verbose=0)
    for one, two, three in zip(whole.get_weights(), mirrored.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize(
    ("scope", "message"),
    [
        ("P5", "scope='P5' .* all tasks use, which here are P2, P3: choose one of these, or scope='parameters'"),
        ("P4", "scope='P4' .* which here are P2, P3"),  # of one task alone
        ("p3", "scope='p3': expected parameters, features or a level such as P5"),
    ],
)
def test_a_level_that_is_not_there_or_not_shared_names_those_that_are(scope, message):
    with pytest.raises(UsageError, match=message):
        model_of({"method": "mgda", "scope": scope})


@pytest.mark.slow
def test_of_a_vision_model_the_levels_are_those_of_the_shared_backbone(toy_model, toy_batch):
    split = toy_model(sharing={"name": "hard", "until": "P2"})
    with pytest.raises(UsageError, match="which here are P2:"):
        split.compile("sgd", balancing={"method": "upgrad", "scope": "P3"})
    frozen = toy_model()
    frozen.freeze(["P3"])
    with pytest.raises(UsageError, match="which here are P2:"):
        frozen.compile("sgd", balancing={"method": "upgrad", "scope": "P3"})
    model = toy_model()
    model.compile("sgd", balancing={"method": "upgrad", "scope": "P3"}, run_eagerly=True)
    assert {v.path.split("/")[0] for v in model.plans.shared()} == {"convolution_3", "normalisation_3"}
    images, labels, weights = toy_batch()
    assert all(np.isfinite(list(model.train_on_batch(images, labels, weights, return_dict=True).values())))
    assert (model.conflicts.read()["norms"] > 0).all()
