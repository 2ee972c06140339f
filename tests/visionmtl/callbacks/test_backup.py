"""A training that was stopped at a step goes on to what it would have become, bit for bit."""

import math
from types import SimpleNamespace

import interruptions
import numpy as np
import pytest
import tensorflow as tf
from cases import few
from interruptions import model_of

from visionmtl import callbacks
from visionmtl.checkpoints import container, folder, interval
from visionmtl.errors import UsageError
from visionmtl.step.position import Position
from visionmtl.training import building, devices

CASES = {
    "plain": {},
    "averaged": {"ema": True},
    "accumulating": {"accumulate": 3},
    "watched": {"every": 2},
    "seldom": {"balancing": {"method": "cagrad", "update_every": 2}, "accumulate": 2},
    "drawn": {"balancing": "graddrop"},
    "at_once": {"steps_per_execution": 2},
}
pytestmark = pytest.mark.usefixtures("forgotten")
STOPS = {"averaged": (1, interruptions.BATCHES), "at_once": (1, 2)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_what_is_stopped_at_a_step_becomes_what_it_would_have_become(name, tmp_path):
    interruptions.check(tmp_path, lambda: model_of(**CASES[name]), STOPS.get(name, (1, 2)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "hook"),
    few([((0, 1), "train"), ((2, 1), "train"), ((1, 6), "train"), ((1, 6), "test")], keep=[((1, 6), "test")]),
)
def test_it_may_be_stopped_anywhere_in_validation_too(place, hook, tmp_path):
    interruptions.check(tmp_path, lambda: model_of(ema=True), place, hook)


@pytest.mark.slow
def test_two_devices_in_half_precision_go_on_alike_in_the_middle_of_an_update(tmp_path, two_devices):
    made = []

    def make():
        with devices.strategy(two_devices).scope(), building._precision("mixed_float16"):
            made.append(model_of(accumulate=3))
        return made[-1]

    interruptions.check(tmp_path, make, (1, 3))  # overflows skip five of its nine steps
    stopped = made[1]
    assert stopped.steps_behind % 3, "an update was complete"
    assert any(np.any(held.numpy()) for held in stopped.optimizer.inner_optimizer._accumulated_gradients)


class Blank:
    """A model of one weight, whose steps somebody else makes."""

    steps_per_execution, balancer = 1, SimpleNamespace(variables=[])

    def __init__(self):
        self.weight, self.position = tf.Variable([1.0, 2.0]), Position()

    def training_state(self):
        return {"metrics": [], "weights": [self.weight]}


@pytest.fixture
def backup(tmp_path):
    """A function that makes one that watches a blank model, at the beginning of its training."""

    def make(**options):
        made = callbacks.Backup(tmp_path, **options)
        made.set_model(Blank())
        made.on_epoch_begin(0)
        return made

    return make


def step(backup, count=1):
    """Make steps of an epoch, and wait for what they have written."""
    for _ in range(count):
        backup.model.position.went(1, {"loss": 0.5})
        backup.on_train_batch_end(0)
        if backup.flight:
            backup.flight.exception()


def names(run):
    return [path.name for path in folder.of(run)]


def test_the_last_few_are_kept_and_the_end_is_marked(backup, tmp_path):
    made = backup(keep=2)
    step(made)
    assert made.save_now().name == "0-1.ckpt"
    made.model.position.begin(1)
    made.on_epoch_begin(1)
    made.wait()
    assert names(tmp_path) == ["1-0.ckpt", "0-1.ckpt"]
    assert not folder.newest(tmp_path)[0].about["finished"]
    step(made)
    made.on_train_end()
    found, damaged = folder.newest(tmp_path)
    assert (found.path.name, found.about["finished"], damaged) == ("2-0.ckpt", True, {})


def test_a_damaged_one_is_passed_over_and_goes_once_a_new_one_is_there(backup, tmp_path):
    made = backup()
    step(made)
    newest = made.save_now()
    newest.write_bytes(newest.read_bytes()[:-5])
    found, damaged = folder.newest(tmp_path)
    assert (found.place, list(damaged)) == ((0, 0), [newest])
    again = backup(start=found)
    step(again)
    again.save_now()
    assert folder.newest(tmp_path)[1] == {}
    again.model.position.begin(1)
    again.save_now()
    assert names(tmp_path) == ["1-0.ckpt", "0-1.ckpt"]


def test_a_weight_that_is_not_finite_is_not_kept(backup, tmp_path, capsys):
    made = backup()
    step(made)
    made.model.weight.assign([1.0, np.nan])
    assert made.save_now() is None
    assert names(tmp_path) == ["0-0.ckpt"]
    assert "No checkpoint 0-1.ckpt: the weight '" in capsys.readouterr().out
    made.model.weight.assign([1.0, 1.0])
    assert made.save_now().name == "0-1.ckpt"


def test_what_fails_in_the_thread_stops_the_training_at_the_next_step(backup, monkeypatch):
    monkeypatch.setattr(interval, "MOST", 1e9)
    made = backup(steps=1)

    def full(path, *given):
        raise UsageError(f"Cannot write '{path}': the disk is full.")

    monkeypatch.setattr(container, "write", full)
    step(made)
    with pytest.raises(UsageError, match="the disk is full"):
        step(made)


def test_one_is_made_after_so_many_steps_of_the_training_itself(backup, tmp_path, monkeypatch):
    monkeypatch.setattr(interval, "MOST", 1e9)
    made = backup(steps=2, minutes=None, keep=9)
    step(made, 5)
    made.model.position.passed = True
    made.on_train_batch_end(0)
    made.wait()
    assert names(tmp_path) == ["0-4.ckpt", "0-2.ckpt", "0-0.ckpt"]


def test_what_callbacks_keep_is_given_back(backup, tmp_path):
    path = tmp_path / "best.keras"
    path.touch()
    seconds, best = callbacks.Seconds(100.0), callbacks.Checkpoint(path, "val_score", 0.1 + 0.2)
    made = backup(watchers=[seconds, callbacks.Checkpoint(tmp_path / "last.keras"), best])
    step(made)
    made.save_now()
    later = callbacks.Seconds(), callbacks.Checkpoint("last.keras"), callbacks.Checkpoint(path, "val_score")
    backup(start=folder.newest(tmp_path)[0], watchers=later)
    assert later[0].began < seconds.began + 1
    assert later[2].best == 0.1 + 0.2
    path.unlink()
    backup(start=folder.newest(tmp_path)[0], watchers=later)
    assert later[2].best == -math.inf, "a model that is lost is nothing to beat"
    assert callbacks.LearningRate().keep() is None


def test_a_model_whose_state_is_not_known_is_refused(tmp_path):
    made = callbacks.Backup(tmp_path)
    made.set_model(SimpleNamespace())
    with pytest.raises(UsageError, match="the fit of a SimpleNamespace: it keeps the state of a BalancedModel"):
        made.on_train_begin()
