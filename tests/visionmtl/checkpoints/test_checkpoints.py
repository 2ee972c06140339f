"""The file of a checkpoint, its variables, its place among others, and when the next one is due."""

import itertools
import zipfile

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from visionmtl.checkpoints import Interval, container, folder, interval, state
from visionmtl.training import devices

ARRAYS = {
    "weights:0:0:kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "weights:1:0:half": np.array([1.5, -2], ml_dtypes.bfloat16),
    "optimizer:0:0:iteration": np.array(7, np.int64),
    "metrics:0:0:nothing": np.zeros((0, 4), np.float16),
    "metrics:1:0:flag": np.array([True, False]),
}
ABOUT = {"epoch": 2, "logs": {"loss": 0.1 + 0.2, "best": -np.inf, "none": np.nan}, "kept": {"History": [{"epoch": 1}]}}


@pytest.fixture
def written(tmp_path):
    container.write(tmp_path / "checkpoints" / "2-5.ckpt", ABOUT, ARRAYS)
    return tmp_path / "checkpoints" / "2-5.ckpt"


def test_what_is_written_is_read_bit_for_bit(written):
    about, arrays = container.read(written)
    assert str(about) == str(ABOUT)
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert arrays[name].tobytes() == array.tobytes()


def test_every_damaged_byte_and_every_cut_is_found(written):
    whole = written.read_bytes()
    for place in [*range(0, len(whole), 7), len(whole) - 1]:
        written.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(container.DamagedError, match="checksum"):
            container.read(written)
        written.write_bytes(whole[:place])
        with pytest.raises(container.DamagedError):
            container.read(written)


def test_the_newest_that_is_whole_is_found_with_why_others_are_not(written, tmp_path):
    for name in ("10-0.ckpt", "2-10.ckpt", "9-99.ckpt"):
        (written.parent / name).write_bytes(b"" if name == "10-0.ckpt" else bytes(99))
    (written.parent / "epoch-4.keras").write_bytes(b"torn")
    (written.parent / ".2-6.partial.ckpt").write_bytes(b"left by a crash")
    found, damaged = folder.newest(tmp_path)
    assert (found.path, found.place) == (written, (2, 5))
    assert [path.name for path in damaged] == ["10-0.ckpt", "9-99.ckpt", "epoch-4.keras", "2-10.ckpt"]
    assert next(iter(damaged.values())) == "it is empty"


def test_a_model_of_version_0_1_0_is_a_checkpoint(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    with zipfile.ZipFile(tmp_path / "checkpoints" / "epoch-3.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    found, _ = folder.newest(tmp_path)
    assert (found.place, found.arrays, found.kept) == ((3, 0), {}, {})


def test_no_run_has_no_checkpoint(tmp_path):
    assert folder.newest(tmp_path) == (None, {})


def test_arrays_of_other_variables_are_refused_and_nothing_is_changed():
    def groups(*shapes):
        return {"weights": [tf.Variable(tf.ones(shape), name=f"v{place}") for place, shape in enumerate(shapes)]}

    arrays = state.taken(groups([2], [3]))
    for other, sentence in (
        (groups([2], [4]), "'v1:0' of the model is [4], 'v1:0' of the checkpoint [3]"),
        (groups([2], [3], [1]), "the model has 'v2:0' [1] among its weights, the checkpoint has not"),
        (groups([2]), "the checkpoint has 'v1:0' among its weights, the model has not"),
    ):
        other["weights"][0].assign([5.0, 5.0])
        with pytest.raises(state.MisfitError) as told:
            state.give_back(other, arrays)
        assert str(told.value) == sentence
        assert other["weights"][0].numpy().tolist() == [5, 5]


def test_each_replica_gets_what_it_counted_and_one_device_the_sum(two_devices):
    own = {"synchronization": tf.VariableSynchronization.ON_READ, "aggregation": tf.VariableAggregation.SUM}

    def variable():
        return {"metrics": [tf.Variable(0.0, trainable=False, **own)]}

    place = devices.strategy(two_devices)
    with place.scope():
        first, second = variable(), variable()
    for replica, value in zip(first["metrics"][0].values, (0.1, 0.7), strict=True):
        replica.assign(value)
    arrays, alone = state.taken(first), variable()
    state.give_back(second, arrays)
    state.give_back(alone, arrays)
    assert [float(replica) for replica in second["metrics"][0].values] == pytest.approx([0.1, 0.7])
    assert float(alone["metrics"][0]) == pytest.approx(0.8)
    state.give_back(second, state.taken(alone))
    assert [float(replica) for replica in second["metrics"][0].values] == pytest.approx([0.8, 0])


def test_one_is_due_after_minutes_or_steps_and_later_where_saving_takes_long(monkeypatch):
    clock = itertools.count(0, 60)  # a minute a look
    monkeypatch.setattr(interval.time, "monotonic", lambda: next(clock))
    by_time, by_steps, never = Interval(2, None), Interval(None, 3), Interval(None, None)
    assert [by_time.due for _ in range(3)].count(True)
    by_steps.step(2)
    assert not by_steps.due
    by_steps.step(1)
    assert by_steps.due
    assert by_steps.took(4, 60) == (
        "A checkpoint takes 4 s, more than 5% of the 60 s between two: from now on they are at least 80 s apart, beside"
        " those at an epoch's end."
    )
    assert by_steps.took(4, 60) is None
    by_steps.restart()
    by_steps.step(3)
    assert [by_steps.due, by_steps.due] == [False, True]
    assert not never.due
    assert by_time.took(2, 120) is None


@pytest.mark.parametrize("place", [40, 60, 100])
def test_a_checkpoint_of_the_first_version_that_is_damaged_within_is_told_and_the_one_before_taken(tmp_path, place):
    for number in (1, 2):
        path = tmp_path / "checkpoints" / f"epoch-{number}.keras"
        path.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("model.weights.h5", bytes(range(256)) * 4)
    content = bytearray(path.read_bytes())
    content[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    found, damaged = folder.newest(tmp_path)
    assert found.place.epoch == 1
    assert list(damaged) == [path]
