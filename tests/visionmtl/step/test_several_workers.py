"""Several workers, processes on loopback, train by plain `fit` what one trains alone: the same weights and metrics."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import several_workers
import tensorflow as tf

from visionmtl.workers import Workers, _arrays, _message

# Of every family but those that three train: losses weighed by the gradients at the features; looking twice; the
# Gramian of gradients at the features; each number of the gradients; running means of them; two halves of a batch,
# whose samples are dealt out in turn although the last batch is of 4 on one worker and 3 on the other. And two batches
# an update, whose gradients are compared.
NAMES = ("gradnorm", "famo", "pcgrad features", "graddrop", "moco", "db_mtl", "modo", "accumulated cagrad")

# Of every kind but hard sharing, which the command is tested with: by depth, by mixing, by attention, by experts, by
# asking, by predictions, by a penalty, and by what is learnt of the tasks.
SCHEMES = ("hierarchical", "cross_stitch", "mtan", "experts", "task_tokens", "cascade", "soft", "relation")


def together(count, out, *names):
    """Train by several processes; return what each came to."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    cluster = {"worker": [f"127.0.0.1:{one.getsockname()[1]}" for one in held]}
    for one in held:
        one.close()
    started = []
    for number in range(count):
        task = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": number}})
        command = [sys.executable, several_workers.__file__, str(out / f"{number}.npz"), *names]
        path = os.pathsep.join([*map(str, sys.path)])
        environment = os.environ | {"TF_CONFIG": task, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": path}
        started.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    try:
        for one in started:
            _, said = one.communicate(timeout=1200)
            assert one.returncode == 0, said
    finally:
        for one in started:
            one.kill()
    return [dict(np.load(out / f"{number}.npz")) for number in range(count)]


def check(workers, names):
    """Compare what several workers came to with what one does."""
    alone, _ = several_workers.all_trained(names)
    for name, value in alone.items():
        for own in workers:
            np.testing.assert_allclose(own[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accumulated uncertainty", "accumulated pcgrad"])
def test_two_devices_train_and_log_like_one_though_a_batch_is_uneven_and_two_are_an_update(name, two_devices):
    alone, _ = several_workers.trained(name, contextlib.nullcontext())
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    mirrored, _ = several_workers.trained(name, strategy.scope())
    assert mirrored.keys() == alone.keys()
    for name, value in alone.items():
        np.testing.assert_allclose(mirrored[name], value, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_two_train_like_one_and_one_of_them_saves_and_predicts_alone(tmp_path):
    names = (*SCHEMES, *NAMES)
    workers = together(2, tmp_path, *names)
    assert all(f"{name} log val_season_accuracy" in workers[1] for name in SCHEMES)
    check(workers, names)
    saved = keras.saving.load_model(Path(f"{tmp_path}/0.npz.keras"))
    for place, weight in enumerate(saved.get_weights()):
        np.testing.assert_array_equal(weight, workers[0][f"{names[-1]} weight {place}"])
    assert all(len(value) == 5 for name, value in workers[0].items() if name.startswith("predicted"))


@pytest.mark.slow
def test_three_train_like_one(tmp_path):
    names = ("uncertainty", "pcgrad")
    check(together(3, tmp_path, *names), names)


def test_what_workers_send_each_other_is_what_they_gave():
    given = [np.arange(6, dtype="int64").reshape(2, 3), np.zeros((0, 4), "float32"), np.array(0.5), np.array([True])]
    got = _arrays(_message(given))
    for one, other in zip(given, got, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)


def test_one_worker_asks_nobody():
    alone = Workers()
    assert (alone.several, alone.is_chief, alone.each([1, 2])) == (False, True, [[1, 2]])
    assert alone.chiefs(lambda: {"path": Path("a")}) == {"path": Path("a")}
    assert alone.together(lambda: 3) == 3
    (own,) = alone.arrays([np.ones(2)])
    np.testing.assert_array_equal(own[0], np.ones(2))
