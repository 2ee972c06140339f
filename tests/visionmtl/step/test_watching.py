"""What is watched of the tasks' gradients, and that watching changes no training."""

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from scoped_models import batches, model_of, moves, moves_alone, table


@pytest.fixture(scope="module")
def own():
    """The moves of each task alone."""
    return moves_alone()


@pytest.mark.slow
@pytest.mark.parametrize("name", few(["equal", "uncertainty", "gradnorm", "cagrad"], keep=["uncertainty"]))
def test_watching_changes_no_training(name):
    trained = []
    for every in (None, 2):
        model = model_of(name, every=every)
        model.fit(batches(), epochs=2, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    for one, two in zip(*trained, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.mark.slow
def test_what_is_watched_are_the_gradients_by_the_last_layer_that_all_share(own):
    rows = np.stack([np.concatenate([one["second/kernel"].ravel(), one["second/bias"]]) for one in own])
    lengths = np.linalg.norm(rows, axis=1)
    model = model_of("equal", rate=1.0, every=1, run_eagerly=True)
    moved, _ = moves(model)
    seen = model.conflicts.read()
    np.testing.assert_allclose(seen["norms"], lengths, rtol=1e-4)
    np.testing.assert_allclose(seen["cosines"], rows @ rows.T / np.outer(lengths, lengths), atol=1e-5)
    np.testing.assert_array_equal(seen["weights"], [1, 1, 1])
    assert seen["conflicts"] == (rows @ rows.T < 0).any()
    for path in moved:
        np.testing.assert_allclose(moved[path], sum(one[path] for one in own), atol=1e-5)


@pytest.mark.slow
def test_two_devices_watch_like_one(two_devices):
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    alone = model_of("uncertainty", every=1)
    with strategy.scope():
        mirrored = model_of("uncertainty", every=1)
    for model in (alone, mirrored):
        model.fit(batches(), epochs=1, shuffle=False, verbose=0)
    for name, value in alone.conflicts.read().items():
        np.testing.assert_allclose(value, mirrored.conflicts.read()[name], atol=1e-5)
    for one, two in zip(alone.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_a_task_that_is_absent_is_seen_as_unknown():
    model, (x, labels) = model_of("equal", every=1, run_eagerly=True), table(8)
    model.train_on_batch(x, {name: labels[name] for name in "ac"})
    seen = model.conflicts.read()
    assert np.isnan(seen["norms"]).tolist() == [False, True, False]
    assert np.isnan(seen["cosines"]).sum() == 5
