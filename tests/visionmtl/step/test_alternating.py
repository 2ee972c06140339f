"""Tasks trained in turn, one a step, each with its own data and optimizer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl.errors import UsageError


def batches(model, toy_batch):
    """A data set for each task, of other pictures, with the task's labels alone."""
    by_task = {}
    for seed, task in enumerate(model.tasks):
        images, labels, weights = toy_batch(seed=seed)
        by_task[task] = tf.data.Dataset.from_tensors((images, {task: labels[task]}, {task: weights[task]})).repeat(2)
    return by_task


def snapshot(model):
    return {variable.path: variable.numpy() for variable in model.trainable_variables}


@pytest.mark.slow
def test_a_round_is_a_step_of_each_task_on_its_own_data(toy_model, toy_batch):
    model, by_hand = toy_model(), toy_model()
    model.compile(keras.optimizers.SGD(0.02))
    by_hand.compile(keras.optimizers.SGD(0.02), run_eagerly=True)
    data = batches(model, toy_batch)
    turns = visionmtl.Alternating(model)
    turns.run_eagerly = True
    turns.fit(data, epochs=1, verbose=0)
    for _ in range(2):
        for task in by_hand.tasks:
            by_hand.train_on_batch(*next(iter(data[task])))
    for path, value in snapshot(by_hand).items():
        np.testing.assert_allclose(snapshot(model)[path], value, atol=2e-5, err_msg=path)


@pytest.mark.slow
def test_a_task_has_its_own_optimizer_and_moves_nothing_of_the_others(toy_model, toy_batch):
    model = toy_model()
    model.compile(keras.optimizers.SGD(0.0))
    turns = visionmtl.Alternating(model, {"ground": keras.optimizers.SGD(0.1)})
    turns.run_eagerly = True
    before = snapshot(model)
    logs = turns.fit(batches(model, toy_batch), verbose=0).history
    after = snapshot(model)
    moved = {path for path in before if (before[path] != after[path]).any()}
    assert moved == {variable.path for variable in model.route("ground").trainable_variables}
    assert set(logs) == {"scene_loss", "objects_loss", "ground_loss"}


@pytest.mark.slow
def test_two_devices_take_turns_like_one(two_devices):
    """On tables, with what replicas share: a batch normalisation and the mean over the labelled rows."""
    random = np.random.default_rng(0)
    data = {}
    for task in "ab":
        x, label, labelled = random.normal(size=(16, 4)), random.normal(size=(16, 1)), random.integers(0, 2, 16)
        data[task] = tf.data.Dataset.from_tensor_slices((x, {task: label}, {task: labelled})).batch(8)

    def turns():
        keras.utils.set_random_seed(0)
        x = keras.Input((4,))
        hidden = keras.layers.BatchNormalization(synchronized=True)(keras.layers.Dense(6, activation="tanh")(x))
        model = visionmtl.BalancedModel(x, {task: keras.layers.Dense(1, name=task)(hidden) for task in "ab"})
        model.compile(keras.optimizers.SGD(0.1), dict.fromkeys("ab", "mse"))
        return visionmtl.Alternating(model)

    alone = turns()
    with tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice()).scope():
        mirrored = turns()
    before = alone.model.get_weights()
    for each in (alone, mirrored):
        each.fit(data, verbose=0)
    assert np.abs(alone.model.get_weights()[0] - before[0]).max() > 1e-3
    for one, two in zip(alone.model.get_weights(), mirrored.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_mistakes_are_told(toy_model, toy_batch):
    model = toy_model()
    with pytest.raises(UsageError, match="takes a compiled model"):
        visionmtl.Alternating(model)
    model.compile("sgd")
    with pytest.raises(UsageError, match="no task 'grund'. Did you mean 'ground'"):
        visionmtl.Alternating(model, {"grund": "sgd"})
    shared = keras.optimizers.SGD()
    with pytest.raises(UsageError, match="given one optimizer"):
        visionmtl.Alternating(model, {"ground": shared, "scene": shared})
    images, labels, weights = toy_batch()
    for given in ({"scene": labels["scene"]}, labels["ground"]):
        with pytest.raises(UsageError, match="A batch's labels .*: expected .*ground"):
            visionmtl.Alternating(model).fit({"ground": tf.data.Dataset.from_tensors((images, given, weights))})
    with pytest.raises(UsageError, match="takes {task: data set}"):
        visionmtl.Alternating(model).fit(tf.data.Dataset.from_tensors(toy_batch()))
