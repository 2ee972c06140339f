"""Where and how often gradients are compared: at the parameters or the features, in every step or in some."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import few
from scoped_models import batches, model_of, moves, moves_alone, table

import visionmtl
from visionmtl import balancing
from visionmtl.errors import UsageError
from visionmtl.step import parting

WAYS = {
    "features": {"scope": "features"},
    "every third step": {"update_every": 3},
    "features, every third step": {"scope": "features", "update_every": 3},
}


def gradients_by_features(model):
    """Return each task's gradient by the outputs of both trunk layers, `[K, n]`, worked out task by task."""
    x, labels = table(8)
    trunk = keras.Model(model.input, [model.get_layer("first").output, model.get_layer("second").output])
    rows = []
    for task in "abc":
        first, second = trunk(x)
        with tf.GradientTape() as tape:
            tape.watch([first, second])
            read = {"a": second, "b": second, "c": tf.concat([first, second, x], axis=1)}[task]
            read = model.get_layer("a_own")(read) if task == "a" else read
            loss = tf.reduce_mean((model.get_layer(task)(read) - labels[task]) ** 2)
        parts = tape.gradient(loss, [first, second], unconnected_gradients="zero")
        rows.append(np.concatenate([part.numpy().ravel() for part in parts]))
    return np.stack(rows)


@pytest.fixture(scope="module")
def own():
    """The moves of each task alone."""
    return moves_alone()


def test_a_model_is_cut_where_its_tasks_part():
    model = model_of()
    cut = parting.parting(model, {name: [model.output[name]] for name in "abc"})
    assert [feature.name for feature in cut.features] == [model.get_layer(n).output.name for n in ("second", "first")]
    assert cut.apart is None
    model.train_on_batch(*table(8))  # not the table itself: nothing before it is trained
    names = [v.path for v in parting.variables(model, {name: [model.output[name]] for name in "abc"})]
    assert names == ["first/kernel", "first/bias", "second/kernel", "second/bias"]


@pytest.mark.slow
@pytest.mark.parametrize("name", few(["mgda", "cagrad", "upgrad", "aligned_mtl"], keep=["mgda", "upgrad"]))
def test_features_scope_weighs_by_the_gradients_at_the_features(name, own):
    model = model_of({"method": name, "scope": "features"}, rate=1.0, run_eagerly=True)
    rows = gradients_by_features(model)
    expected = balancing.get(name).weights(rows @ rows.T).numpy()
    moved, weights = moves(model)
    np.testing.assert_allclose(weights, expected, rtol=1e-4)
    for path in moved:
        if path.startswith(("first", "second")):
            wanted = sum(weight * one[path] for weight, one in zip(expected, own, strict=True))
        else:  # a head takes its own task's gradient
            wanted = sum(one[path] for one in own)
        np.testing.assert_allclose(moved[path], wanted, atol=1e-5)


@pytest.mark.slow
def test_between_two_comparisons_the_weights_stay_and_the_update_is_their_sum(own):
    model = model_of({"method": "cagrad", "update_every": 3}, rate=1e-3)
    every = model_of({"method": "cagrad"}, rate=1e-3)
    seen, exact = [], []
    for _ in range(7):
        for one, found in ((model, seen), (every, exact)):
            one.reset_metrics()
            logs = one.train_on_batch(*table(8), return_dict=True)
            found.append([float(logs[f"weight/{task}"]) for task in "abc"])
    assert seen[0] == seen[1] == seen[2] != seen[3] == seen[4] == seen[5] != seen[6]
    assert len({tuple(weights) for weights in exact}) == 7
    np.testing.assert_allclose(seen[0], exact[0], rtol=1e-6)

    model = model_of({"method": "cagrad", "update_every": 3}, rate=1.0, run_eagerly=True)
    model.balancer.last.assign([0.5, 2.0, 3.0])
    model.pace.behind = 1  # no comparison is due
    moved, weights = moves(model)
    np.testing.assert_array_equal(weights, [0.5, 2.0, 3.0])
    for path in moved:
        factors = weights if path.startswith(("first", "second")) else np.ones(3)
        wanted = sum(factor * one[path] for factor, one in zip(factors, own, strict=True))
        np.testing.assert_allclose(moved[path], wanted, atol=1e-5)


PAIRS = [(name, way) for name in ("pcgrad", "gradvac") for way in WAYS]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "way"), few(PAIRS, keep=[("gradvac", "features, every third step")]))
def test_two_devices_balance_like_one(name, way, two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    alone = model_of({"method": name} | WAYS[way])
    with strategy.scope():
        mirrored = model_of({"method": name} | WAYS[way])
    logs = [model.fit(batches(), epochs=3, shuffle=False, verbose=0).history for model in (alone, mirrored)]
    for task in "abc":
        np.testing.assert_allclose(logs[0][f"weight/{task}"], logs[1][f"weight/{task}"], atol=1e-5)
    for one, two in zip(alone.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("way", few(WAYS, keep=["features, every third step"]))
def test_save_load_and_continue_is_the_uninterrupted_training_bit_for_bit(way, tmp_path):
    whole, first = (model_of({"method": "gradvac"} | WAYS[way]) for _ in range(2))
    whole.fit(batches(), epochs=4, shuffle=False, verbose=0)
    first.fit(batches(), epochs=2, shuffle=False, verbose=0)  # eight steps: between two comparisons
    first.save(tmp_path / "model.keras")
    second = keras.saving.load_model(tmp_path / "model.keras")
    assert second.balancer.get_config() == first.balancer.get_config()
    second.fit(batches(), initial_epoch=2, epochs=4, shuffle=False, verbose=0)
    for one, two in zip(whole.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.slow
@pytest.mark.parametrize("sharing", few(["hard", {"name": "hard", "until": "P2"}], keep=["hard"]))
def test_vision_tasks_are_compared_at_their_features(sharing, toy_model, toy_batch, tmp_path):
    model = toy_model(sharing=sharing)
    model.compile("sgd", balancing={"method": "upgrad", "scope": "features", "update_every": 2}, run_eagerly=True)
    model.conflicts.watch(1)
    images, labels, weights = toy_batch()
    logs = [model.train_on_batch(images, labels, weights, return_dict=True) for _ in range(3)]
    assert all(np.isfinite(float(value)) for log in logs for value in log.values())
    assert (model.conflicts.read()["norms"] > 0).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one in (model, loaded):
        one.train_on_batch(images, labels, weights)
    for one, two in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def apart():
    """Two tasks that share a layer of which each reads an output of its own."""
    x = keras.Input((6,))
    halves = keras.layers.Lambda(lambda x: (x[:, :3], x[:, 3:]))(keras.layers.Dense(6)(x))
    heads = {name: keras.layers.Dense(1)(half) for name, half in zip("ab", halves, strict=True)}
    return visionmtl.BalancedModel(x, heads)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"balancing": {"method": "cagrad", "scope": "features"}}, "'a' and 'b' read none in common"),
        ({"balancing": "excess_mtl"}, "'a' and 'b' read none in common"),
        ({"balancing": {"method": "db_mtl", "scope": "features"}}, "leave scope out"),
        ({"balancing": {"method": "upgrad", "scope": "feature"}}, "parameters, features or a level"),
        (
            {"balancing": {"method": "upgrad", "update_every": 0}},
            "update_every=0: expected a whole number of at least 1",
        ),
        ({"balancing": {"method": "upgrad", "update_every": 2}, "steps_per_execution": 4}, "steps_per_execution=1"),
        ({"balancing": {"method": "equal", "scope": "features"}}, "no hyperparameter 'scope'"),
    ],
)
def test_what_cannot_run_says_so_when_the_model_is_compiled(options, message):
    with pytest.raises(UsageError, match=message):
        apart().compile("sgd", dict.fromkeys("ab", "mse"), **options)


def test_tasks_that_read_no_feature_in_common_are_compared_at_the_parameters():
    model = apart()
    model.compile("sgd", dict.fromkeys("ab", "mse"), balancing="upgrad")
    x, labels = table(8)
    model.train_on_batch(x, {name: labels[name] for name in "ab"})
    assert abs(model.conflicts.read()["cosines"][0, 1]) < 1e-6  # columns of one kernel, none in common


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    few(
        ["uncertainty", "cagrad", "nash_mtl", "db_mtl", "graddrop", "gradnorm", "excess_mtl"],
        keep=["uncertainty", "excess_mtl"],
    ),
)
def test_the_step_runs_under_xla(name):
    logs = []
    for compiled in (False, True):
        model = model_of(name, jit_compile=compiled)
        logs.append(model.fit(batches(), epochs=2, shuffle=False, verbose=0).history)
    for log in logs[0]:
        # XLA draws other random numbers from the same seed.
        tolerance = {"rtol": 0.3} if name == "graddrop" else {"rtol": 1e-4, "atol": 1e-5}
        np.testing.assert_allclose(logs[1][log], logs[0][log], **tolerance)


OVERFLOWING = {
    "parameters": {"method": "cagrad", "scope": "parameters"},
    "features": {"method": "cagrad", "scope": "features"},
    "once for all": {"method": "uncertainty"},
}


@pytest.mark.slow
@pytest.mark.parametrize("way", few(OVERFLOWING, keep=["features"]))
def test_an_overflow_on_one_replica_skips_the_step_on_all(way, two_devices):
    balancing = OVERFLOWING[way]
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    with strategy.scope():
        model = model_of(balancing)
        model.compile(
            keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.02), initial_scale=2.0**100),
            dict.fromkeys("abc", "mse"),
            balancing=balancing,
        )
    x, labels = table(8)
    before = model.get_weights()
    model.fit(
        x, {**labels, "b": labels["b"] + np.float32(1e18) * np.eye(8, dtype="float32")[:, 7:]}, batch_size=8, verbose=0
    )
    for variable, old in zip(model.trainable_variables, before, strict=False):
        for one in strategy.experimental_local_results(variable.value):
            np.testing.assert_array_equal(one, old)
    assert keras.ops.convert_to_numpy(model.optimizer.dynamic_scale) == 2.0**99
    assert model.guard.skipped == 0
    model.fit(x, labels, batch_size=8, verbose=0)
    assert all(np.isfinite(value).all() for value in model.get_weights())
    assert np.abs(model.get_weights()[0] - before[0]).max() > 1e-4


@pytest.mark.slow
def test_bfloat16_features_are_compared_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = model_of({"method": "upgrad", "scope": "features"})
    finally:
        keras.config.set_dtype_policy("float32")
    reference = model_of({"method": "upgrad", "scope": "features"})
    for one in (model, reference):
        moves(one)
    assert model.conflicts.read()["cosines"].dtype == np.float32
    np.testing.assert_allclose(model.conflicts.read()["cosines"], reference.conflicts.read()["cosines"], atol=0.03)
