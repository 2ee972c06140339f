"""Every balancer in training: the same on two devices and after a restart, and with labels missing."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import few
from table_models import table_model, tables

from visionmtl import balancing


def model_of(name, optimizer=None, clip_norm=None, run_eagerly=False):
    """The model of `table_models`, with a warm-up that the training gets past."""
    method = {"method": name, "warmup_epochs": 2} if name == "stch" else name
    return table_model(method, optimizer, clip_norm=clip_norm, run_eagerly=run_eagerly)


# A plain one, one that learns, one that looks twice, one that draws at random, one of two sub-batches, and one that is
# told each number of the gradients.
KEPT = ("equal", "uncertainty", "famo", "pcgrad", "modo", "db_mtl")


@pytest.fixture(scope="module", params=few(balancing.names(), keep=KEPT))
def trained(request, tmp_path_factory):
    """A balancer's name, a training of four epochs without interruption, and what was saved of it after three."""
    file, seen = tmp_path_factory.mktemp("models") / "model.keras", {}

    def keep(epoch, logs):
        if epoch == 2:
            model.save(file)
            seen["weights"] = model.get_weights()

    model = model_of(request.param)
    keeper = keras.callbacks.LambdaCallback(on_epoch_end=keep)
    seen["history"] = model.fit(tables(), epochs=4, shuffle=False, verbose=0, callbacks=[keeper]).history
    return request.param, model, file, seen


@pytest.mark.slow
def test_two_devices_balance_like_one(trained, two_devices):
    name, _, _, alone = trained
    # Collective kernels lose count of their calls when one process makes a second strategy; these sum by hand.
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    with strategy.scope():
        mirrored = model_of(name)
    history = mirrored.fit(tables(), epochs=3, shuffle=False, verbose=0).history
    for task in "abc":
        weights = alone["history"][f"weight/{task}"][:3]
        np.testing.assert_allclose(weights, history[f"weight/{task}"], rtol=1e-5, atol=1e-5)
    for one, two in zip(alone["weights"], mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)


def test_save_load_and_continue_is_the_uninterrupted_training_bit_for_bit(trained):
    _, whole, file, _ = trained
    resumed = keras.saving.load_model(file)
    resumed.fit(tables(), initial_epoch=3, epochs=4, shuffle=False, verbose=0)
    for one, two in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


GRADIENTS = [*balancing.METHODS, *balancing.ELEMENTWISE]
WEIGHING = [name for name in balancing.METHODS if balancing.get(name).sub_batches == 1]


@pytest.fixture(scope="module")
def alone():
    """The weights of a model, and by how much each task alone moves each of them in one step of rate 1."""
    before = model_of("equal", keras.optimizers.SGD(1.0)).get_weights()
    own = []
    for task in "abc":
        model = model_of("equal", keras.optimizers.SGD(1.0), run_eagerly=True)
        x, labels, labelled = next(iter(tables(8)))
        model.train_on_batch(x, {task: labels[task]}, {task: labelled[task]})
        own.append([old - new for old, new in zip(before, model.get_weights(), strict=True)])
    return before, own


@pytest.mark.parametrize("name", few(WEIGHING, keep=("mgda", "pcgrad", "upgrad")))
def test_the_update_is_the_weighted_sum_of_the_tasks_own_gradients(name, alone):
    before, own = alone
    kernel = next(index for index, value in enumerate(before) if value.shape == (6, 8))
    shared = [index for index, value in enumerate(before) if value.shape[-1:] == (8,) and index < kernel + 4]
    rows = np.stack([np.concatenate([gradients[index].ravel() for index in shared]) for gradients in own])
    weights = balancing.get(name).weights(rows @ rows.T).numpy()

    model = model_of(name, keras.optimizers.SGD(1.0), run_eagerly=True)
    logs = model.fit(tables(8), verbose=0).history
    np.testing.assert_allclose([logs[f"weight/{task}"][0] for task in "abc"], weights, rtol=1e-3, atol=1e-5)
    moved = before[kernel] - model.get_weights()[kernel]
    expected = sum(weight * gradients[kernel] for weight, gradients in zip(weights, own, strict=True))
    np.testing.assert_allclose(moved, expected, atol=2e-4)
    for task, gradients in zip("abc", own, strict=True):  # a head takes its own task's gradient
        index = next(i for i, variable in enumerate(model.weights) if variable.path == f"{task}/kernel")
        np.testing.assert_allclose(before[index] - model.get_weights()[index], gradients[index], atol=1e-5)


@pytest.mark.parametrize("name", few(GRADIENTS, keep=("mgda", "graddrop")))
def test_a_task_that_is_absent_leaves_the_smaller_problem(name):
    x, labels, labelled = next(iter(tables(8)))
    pair = {task: labelled[task] for task in "ac"}
    results = []
    for given in ({**pair, "b": tf.zeros_like(pair["a"])}, pair):
        model = model_of(name, run_eagerly=True)
        logs = model.train_on_batch(x, {task: labels[task] for task in given}, given, return_dict=True)
        results.append([float(logs[f"weight/{task}"]) for task in "abc"])
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)
    assert results[0][1] == 0


@pytest.mark.slow
def test_a_clipped_gradient_balancer_trains_alike_on_two_devices(two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    whole, free = (model_of("upgrad", clip_norm=norm, run_eagerly=True) for norm in (0.1, None))
    with strategy.scope():
        mirrored = model_of("upgrad", clip_norm=0.1)
    for model in (whole, free, mirrored):
        model.fit(tables(), shuffle=False, verbose=0)
    for one, two in zip(whole.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)
    assert np.abs(whole.get_weights()[0] - free.get_weights()[0]).max() > 1e-3


def test_callbacks_may_be_given_by_place_as_in_keras():
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    model_of("dwa", run_eagerly=True).fit(tables(8), None, None, 2, 0, [watch])
    assert seen == [0, 1]


def test_famo_looks_twice_and_moves_the_batch_normalisation_once():
    moved = []
    for name in ("equal", "famo"):
        model = model_of(name, run_eagerly=True)
        model.fit(tables(8), verbose=0)
        layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
        moved.append([np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)])
    for one, two in zip(*moved, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-7)


@pytest.mark.parametrize("name", few(["uncertainty", "learned", "bayesian", "imtl_l"], keep=["uncertainty"]))
def test_weight_decay_spares_what_a_balancer_learns(name):
    model = model_of(name, keras.optimizers.AdamW(1e-9, weight_decay=0.5))
    for variable in model.balancer.trainable_variables:
        variable.assign(variable * 0 + 1)
    model.fit(tables(), epochs=2, verbose=0)
    for variable in model.balancer.trainable_variables:
        np.testing.assert_allclose(variable, 1, atol=1e-6)
