"""An interrupted run goes on at the step where it was, and becomes what it would have become, bit for bit."""

import keras
import numpy as np
import pytest
from small_recipe import small

from visionmtl import callbacks, training
from visionmtl.checkpoints import state
from visionmtl.training import runs, session

pytestmark = pytest.mark.usefixtures("toy_by_name")


class Interrupt(keras.callbacks.Callback):
    """Stops a training at a step of an epoch, from 0, at once or after a checkpoint."""

    def __init__(self, epoch, step, backup=None):
        super().__init__()
        self.at, self.backup = (epoch, step), backup

    def on_train_batch_end(self, batch, logs=None):
        position = self.model.position
        if not position.passed and (position.epoch, position.step) == self.at:
            if self.backup:
                self.backup.save_now()
            raise KeyboardInterrupt


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Return a function that trains a run, or resumes it, and returns all variables at its end and its history."""
    ends = []
    monkeypatch.setattr(session, "finish", lambda model, *args: ends.append(state.taken(model.training_state())))

    def train(given, run, stop=None, devices=None, save=True):
        usual = callbacks.of_session

        def watched(session):
            watchers = usual(session)
            backup = next(each for each in watchers if isinstance(each, callbacks.Backup))
            return watchers if stop is None else [*watchers, Interrupt(*stop, backup if save else None)]

        with monkeypatch.context() as patch:
            patch.setattr(callbacks, "of_session", watched)
            if (tmp_path / run).exists():
                training.resume(tmp_path / run, devices)
            elif stop is None:
                training.train(given, tmp_path / run, devices)
            else:
                with pytest.raises(KeyboardInterrupt, match="--resume"):
                    training.train(given, tmp_path / run, devices)
        rows = runs.read_history(tmp_path / run)
        return (ends[-1] if ends else None), [{name: row[name] for name in row if name != "seconds"} for row in rows]

    return train


def check(trained, given, stop=(1, 1), devices=None):
    whole, rows = trained(given, "whole", devices=devices)
    trained(given, "stopped", stop, devices)
    resumed, resumed_rows = trained(given, "stopped", devices=devices)
    assert whole.keys() == {name_like(name, whole) for name in resumed}
    for (name, value), other in zip(whole.items(), resumed.values(), strict=True):
        np.testing.assert_array_equal(value, other, name)
    assert resumed_rows == rows


def name_like(name, others):
    """The name of a variable in another model of the process, whose layers are counted on."""
    place = name.split(":")[:3]
    return next(other for other in others if other.split(":")[:3] == place)


CASES = {
    "plain": (),
    "early": (),
    "late": (),
    "averaged": ("training.ema=0.9",),
    "half": ("training.precision=mixed_float16",),
    "watched": ("balancing.watch=1",),
    "steps": ("training.steps=2",),
    "dropout": ("model.dropout=0.3", "data.augmentation={flip: true, scale: [0.7, 1.4]}"),
    "pcgrad": ("balancing.method=pcgrad", "balancing.update_every=2"),
}
STOPS = {"early": (0, 1), "late": (1, 3), "averaged": (1, 2)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_run_stopped_at_a_step_becomes_the_uninterrupted_one(trained, name):
    given = small("data.options={train: 12, validation: 4, test: 4}", "training.epochs=3", *CASES[name])
    check(trained, given, STOPS.get(name, (1, 1)))
