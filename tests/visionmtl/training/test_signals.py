"""A signal stops a training at any moment with a status, a command that goes on, and nothing half-written."""

import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from small_recipe import QUICK, small

from visionmtl import callbacks, cli, export, files, training
from visionmtl.checkpoints import folder
from visionmtl.errors import UsageError
from visionmtl.step.position import Position
from visionmtl.stopping import Stop, Stopped
from visionmtl.training import building, lock, runs, session

pytestmark = pytest.mark.usefixtures("toy_by_name")

# Of two epochs of two steps, one after another: a hook, and how many times it was called since the training began or
# went on; epoch and step that are kept.
MOMENTS = {
    "a step": [
        ("on_train_batch_begin", 1, (0, 0)),
        ("on_train_batch_end", 3, (1, 1)),
        ("on_epoch_end", 1, (2, 0)),
    ],
    "the second step": [("on_train_batch_begin", 2, (0, 2))],
    "a validation": [("on_test_batch_begin", 1, (0, 2))],
    "an epoch": [("on_epoch_end", 1, (1, 0))],
}


class Send(keras.callbacks.Callback):
    """Sends this process a signal when the training gets somewhere for the n-th time."""

    def __init__(self, hook, after, number=signal.SIGTERM):
        super().__init__()
        self.left, self.number = after, number
        setattr(self, hook, self.send)

    def send(self, *given, **logs):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)


@pytest.fixture
def recipe(tmp_path):
    """The path of a small recipe's file."""
    files.write_text(tmp_path / "small.yaml", small(*QUICK, "training.validate_every=1").dump())
    return tmp_path / "small.yaml"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The weights and the history of a run that nothing stopped."""
    run = tmp_path_factory.mktemp("whole") / "run"
    training.train(small(*QUICK, "training.validate_every=1"), run)
    return end_of(run)


def end_of(run):
    """What a run has come to."""
    history = [{name: row[name] for name in row if name != "seconds"} for row in runs.read_history(run)]
    return keras.saving.load_model(run / "last.keras").get_weights(), history


def newest_of(run):
    """The epoch and the step of a run's newest checkpoint."""
    place = max(folder.of(run).values())
    return place.epoch, place.step


def test_before_the_end_of_the_first_step_there_is_nothing_to_keep(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(callbacks.Backup, "save_now", lambda self: saved.append(self.run))
    watch = callbacks.StopAsked(Stop(), [callbacks.Backup(tmp_path)])
    watch.set_model(SimpleNamespace(position=Position()))
    watch.model.position.passed = True  # a step of an earlier session
    watch.on_epoch_begin(0)
    watch.on_train_batch_end(0)
    assert not watch.stop.patient
    watch.model.position.passed = False
    watch.on_train_batch_end(1)
    assert watch.stop.patient
    watch.stop(signal.SIGTERM)
    for hook in (watch.on_train_batch_end, watch.on_test_batch_end, watch.on_epoch_begin):
        with pytest.raises(Stopped):
            hook(0)
    assert saved == [tmp_path] * 3
    watch.stop.error = UsageError("another process has it")
    with pytest.raises(UsageError):
        watch.on_epoch_begin(0)
    assert len(saved) == 3, "nothing is written over what another process writes"


def test_a_signal_while_data_is_read_leaves_no_run(recipe, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(building, "data", lambda *args, **options: os.kill(os.getpid(), signal.SIGTERM))
    assert cli.main(["train", str(recipe), "--run", str(tmp_path / "run")]) == 143
    assert not (tmp_path / "run").exists()
    told = "visionmtl: stopped by SIGTERM. There is no run folder yet, and nothing to go on from."
    assert capsys.readouterr().err.splitlines()[-1] == told


@pytest.mark.parametrize(
    "change", ["model.start=nowhere", "model.start={detection: nowhere.keras}", "model.weights=nowhere.keras"]
)
def test_what_a_model_starts_from_is_looked_for_before_data_is_read(change, recipe, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(building, "data", lambda *args, **options: pytest.fail("data is read"))
    assert cli.main(["train", str(recipe), "--run", str(tmp_path / "run"), change]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("first", MOMENTS)
def test_signals_at_any_moment_of_a_training_lose_nothing(first, whole, recipe, tmp_path, monkeypatch, capsys):
    run, usual = tmp_path / "run", callbacks.of_session
    for hook, after, kept in MOMENTS[first]:
        given = ["--resume", str(run)] if run.exists() else [str(recipe), "--run", str(run)]
        send = Send(hook, after)
        with monkeypatch.context() as patch:
            patch.setattr(callbacks, "of_session", lambda *session, send=send: [send, *usual(*session)])
            assert cli.main(["train", *given]) == 75, (hook, after)
        assert f"Go on with: visionmtl train --resume {run}" in capsys.readouterr().err
        assert not (run / lock.LOCK).exists()
        assert newest_of(run) == kept, (hook, after)
        assert not [path for path in run.rglob("*") if "partial" in path.name]
    assert cli.main(["train", "--resume", str(run)]) == 0
    for one, other in zip(whole[0], end_of(run)[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole[1] == end_of(run)[1]


@pytest.mark.slow
def test_a_signal_while_the_best_model_is_measured_loses_nothing(whole, recipe, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(session, "finish", lambda *args: os.kill(os.getpid(), signal.SIGUSR1))
        assert cli.main(["train", str(recipe), "--run", str(tmp_path / "run")]) == 75
    assert cli.main(["train", "--resume", str(tmp_path / "run")]) == 0
    assert whole[1] == end_of(tmp_path / "run")[1]
    assert "seconds" in runs.read_metrics(tmp_path / "run")


def test_a_signal_while_a_model_is_exported_leaves_no_version(tmp_path, monkeypatch, capsys):
    def half(self, model, folder, resize):
        (folder / "saved_model.pb").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGTERM)

    blank = SimpleNamespace(resize="stretch", confidences={}, tasks={}, recipe=None, image_size=(8, 8))
    blank.sharing = SimpleNamespace(settled=lambda model: blank.sharing)
    monkeypatch.setattr(runs, "load_model", lambda path: (blank, None))
    monkeypatch.setattr(export.FORMATS["savedmodel"], "write", half)
    assert cli.main(["export", "best.keras", "--to", str(tmp_path / "out")]) == 143
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "stopped by SIGTERM" in capsys.readouterr().err


SCRIPT = """
import sys
import toy_backbone
from visionmtl import cli
toy_backbone.register()
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_a_process_that_is_asked_stops_with_its_status_and_a_second_one_is_refused_meanwhile(number, status, tmp_path):
    files.write_text(tmp_path / "small.yaml", small(*QUICK, "training.epochs=10000").dump())
    run = tmp_path / "run"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["benchmarks", os.getcwd()])}
    command = [sys.executable, "-c", SCRIPT, "train"]
    first = subprocess.Popen(
        [*command, str(tmp_path / "small.yaml"), "--run", str(run)], env=environment, stderr=subprocess.PIPE, text=True
    )
    while not (run / "history.csv").is_file():
        assert first.poll() is None
        time.sleep(0.1)
    second = subprocess.run(
        [*command, "--resume", str(run)], env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    assert second.returncode == 2
    assert re.search(rf"is in use by process {first.pid} on host '.+' since ", second.stderr)
    for _ in range(2):  # as `timeout` does
        first.send_signal(number)
    said = first.communicate(timeout=120)[1]
    assert first.returncode == status
    assert said.rstrip().endswith(f"Go on with: visionmtl train --resume {run}")
    assert not (run / lock.LOCK).exists()
    assert [path for path in (run / "checkpoints").iterdir() if "partial" not in path.name]
