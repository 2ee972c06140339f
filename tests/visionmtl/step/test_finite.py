"""Steps that are not finite leave no trace: what comes after is what would have come without their batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import few

import visionmtl
from visionmtl import balancing

BAD = 2  # which of the batches has something that is not finite


def model_of(name="equal", optimizer=None, **options):
    """Three outputs on tables, with all that a step may move: statistics, a seed, metrics, slots and a balancer."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6,))
    hidden = keras.layers.BatchNormalization(synchronized=True)(keras.layers.Dense(8)(x))
    hidden = keras.layers.Dropout(0.2, seed=1)(keras.layers.Activation("tanh")(hidden))
    model = visionmtl.BalancedModel(x, {task: keras.layers.Dense(1, name=task)(hidden) for task in "abc"})
    losses, metrics = dict.fromkeys("abc", "mse"), {"a": "mae"}
    optimizer = keras.optimizers.Adam(0.01) if optimizer is None else optimizer
    model.compile(optimizer, losses, metrics, balancing=name, **options)
    model.build_optimizer()
    return model


def batches(where="label", value=np.nan, row=7, bad=BAD, count=6):
    """Batches of eight rows, of which one has a number in one row that is not finite."""
    random = np.random.default_rng(0)
    x = random.normal(size=(count, 8, 6)).astype("float32")
    labels = {task: random.normal(size=(count, 8, 1)).astype("float32") for task in "abc"}
    (x if where == "input" else labels["b"])[bad, row] = value
    return tf.data.Dataset.from_tensor_slices((x, labels))


def without(data, bad=BAD):
    """The other batches."""
    rest = data.take(bad).concatenate(data.skip(bad + 1))
    return rest.apply(tf.data.experimental.assert_cardinality(int(data.cardinality()) - 1))


def state_of(model):
    return [*model.variables, *model.optimizer.variables, *model.moved_by_steps()]


def check_no_trace(model, data, bad=BAD, epochs=2, history=True):
    """A training on all batches, and one from the same start without the bad one, come to the same bit for bit."""
    start, ends, histories = [np.asarray(variable) for variable in state_of(model)], [], []
    model.guard.tell = lambda epoch, logs: None
    for given in (data, without(data, bad)):
        for variable, value in zip(state_of(model), start, strict=True):
            variable.assign(value)
        histories.append(model.fit(given, epochs=epochs, shuffle=False, verbose=0).history)
        ends.append([np.asarray(variable) for variable in state_of(model)])
    for one, other in zip(*ends, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_array_equal(one, other)
    assert histories[0] == histories[1] or not history
    assert model.guard.number == epochs


# Of each family: the plainest, one that learns by gradient, one that looks twice, Gramians with and without memory, two
# sub-batches, and each number of the gradients.
KEPT = ("equal", "uncertainty", "pcgrad", "db_mtl")


@pytest.mark.slow
@pytest.mark.parametrize("name", few(balancing.names(), keep=KEPT))
def test_a_step_that_is_not_finite_leaves_no_trace(name):
    check_no_trace(model_of(name), batches())


@pytest.mark.parametrize(("where", "value", "bad"), few([("label", np.inf, 0), ("input", -np.inf, 5)], keep=()))
def test_the_first_step_and_the_last_may_be_the_one(where, value, bad):
    check_no_trace(model_of(), batches(where, value, bad=bad), bad)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "row"), few([("mgda", 7), ("mgda", 0), ("equal", 7), ("famo", 7)], [("mgda", 7)]))
def test_two_devices_skip_what_one_of_them_saw(name, row, two_devices):
    with tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice()).scope():
        model = model_of(name)
    check_no_trace(model, batches(row=row))


@pytest.mark.slow
def test_an_update_of_several_steps_takes_the_next_batch_instead():
    optimizer = keras.optimizers.Adam(0.01, gradient_accumulation_steps=2, use_ema=True)
    check_no_trace(model_of(optimizer=optimizer, clip_norm=0.5), batches())


@pytest.mark.slow
def test_a_step_that_was_skipped_counts_for_no_comparison():
    check_no_trace(model_of({"method": "cagrad", "update_every": 2}), batches())


@pytest.mark.slow
def test_several_steps_at_once_skip_the_one():
    at_once, alone = model_of(steps_per_execution=3), model_of()
    at_once.guard.tell = lambda epoch, logs: None
    at_once.fit(batches(), shuffle=False, verbose=0)
    alone.fit(without(batches()), shuffle=False, verbose=0)
    for one, other in zip(*map(state_of, (at_once, alone)), strict=True):
        np.testing.assert_array_equal(one, other)


def root(y, output):
    """A loss of 0 whose gradient is NaN, where the labels are marked by 9."""
    return tf.reduce_mean(tf.where(y == 9.0, tf.sqrt(output - output), (y - output) ** 2), axis=-1)


def test_a_finite_loss_with_a_gradient_that_is_not_is_skipped():
    model = model_of()
    model.compile("adam", {"a": "mse", "b": root, "c": "mse"})
    model.build_optimizer()
    check_no_trace(model, batches(value=9.0))


def test_half_precision_halves_its_scale_for_a_gradient_and_skips_a_loss():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = model_of(optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01), 2.0**60))
    finally:
        keras.config.set_dtype_policy("float32")
    (good, bad), before = [list(batches())[place] for place in (0, BAD)], model.get_weights()
    model.train_on_batch(*bad)
    assert (float(model.optimizer.dynamic_scale), model.guard.skipped) == (2.0**60, 1)
    model.train_on_batch(*good)
    assert (float(model.optimizer.dynamic_scale), model.guard.skipped) == (2.0**59, 1)
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_an_epoch_tells_how_many_it_skipped_and_one_without_says_nothing():
    model = model_of()
    with pytest.warns(UserWarning, match="Epoch 1 skipped 1 training step whose loss or gradient was NaN"):
        history = model.fit(batches(), verbose=0).history
    assert history["skipped_steps"] == [1]
    assert "skipped_steps" not in model.fit(without(batches()), verbose=0).history


def test_the_host_is_told_the_batch_and_its_losses():
    model = model_of()
    model.train_on_batch(*next(iter(batches())))
    assert model.guard.last is None
    x, labels = list(batches())[BAD]
    model.train_on_batch(x, labels)
    batch, losses = model.guard.last
    np.testing.assert_array_equal(batch.images, x)
    np.testing.assert_array_equal(batch.labels["b"], labels["b"])
    assert np.isfinite(losses).tolist() == [True, False, True]
    assert model.guard.number == 1


def test_steps_are_not_skipped_where_that_is_not_wanted():
    model = model_of(skip_nonfinite=False)
    model.train_on_batch(*list(batches())[BAD])
    assert np.isnan(model.get_weights()[0]).any()
    assert keras.saving.deserialize_keras_object(model.get_compile_config())["skip_nonfinite"] is False


@pytest.mark.slow
def test_validation_alone_that_is_not_finite_stops_nothing():
    model = model_of()
    history = model.fit(without(batches()), validation_data=batches(), verbose=0).history
    assert np.isnan(history["val_loss"][0])
    assert np.isfinite(history["loss"][0])


def test_tasks_in_turn_skip_the_turn():
    model = model_of()
    turns = visionmtl.Alternating(model)
    with pytest.warns(UserWarning, match="skipped 1 training step"):
        history = turns.fit({"a": without(batches()), "b": batches()}, verbose=0).history
    assert history["skipped_steps"] == [1]
    assert np.isfinite([history["a_loss"], history["b_loss"]]).all()
    assert all(np.isfinite(np.asarray(variable)).all() for variable in state_of(model))
    assert int(model.optimizer.iterations.numpy()) == 2 * 5 - 1
