"""Tracking services without a network: what they are told, and what is said where they are not installed."""

import importlib.util
import json
import time

import keras
import numpy as np
import pytest

from visionmtl.callbacks import tracker
from visionmtl.callbacks.mlflow_run import MlflowRun
from visionmtl.callbacks.wandb_run import WandbRun
from visionmtl.errors import UsageError


def fit(watcher, epochs, initial=0):
    """Train a model of two numbers, watched."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.1, 10)), "mse")
    x = np.ones((4, 2), "float32")
    try:
        given = {"validation_data": (x, x[:, :1]), "epochs": epochs, "initial_epoch": initial}
        model.fit(x, x[:, :1], verbose=0, callbacks=[watcher], **given)
    finally:
        watcher.close()


def test_a_run_of_mlflow_has_settings_and_epochs_and_goes_on(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("pandas")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.chdir(tmp_path)  # where it puts what is no number
    fit(MlflowRun(tmp_path, {"training.epochs": 3}), 2)
    fit(MlflowRun(tmp_path, {"training.epochs": 3}), 3, initial=2)
    name = json.loads((tmp_path / tracker.FILE).read_text())["mlflow"]
    client = mlflow.MlflowClient()
    assert [point.step for point in client.get_metric_history(name, "val_loss")] == [0, 1, 2]
    run = client.get_run(name)
    assert run.data.params["training.epochs"] == "3"
    assert "validation_loss" not in run.data.metrics
    assert run.info.status == "FINISHED"


def test_a_run_of_wandb_is_written_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    fit(WandbRun(tmp_path, {"training.epochs": 2}), 2)
    name = json.loads((tmp_path / tracker.FILE).read_text())["wandb"]
    (written,) = (tmp_path / "wandb").glob(f"offline-run-*-{name}/run-{name}.wandb")
    until = time.monotonic() + 60  # a process of its own writes
    while b"epoch/val_loss" not in written.read_bytes():
        assert time.monotonic() < until, written.read_bytes()
        time.sleep(0.1)
    assert b"training.epochs" in written.read_bytes()


def test_a_service_that_is_not_installed_is_told_before_data_is_read(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in ("wandb", "pandas") else name)
    with pytest.raises(UsageError, match=r"'wandb', but wandb is not installed: pip install 'visionmtl\[wandb\]'"):
        tracker.check(["tensorboard", "wandb"])
    with pytest.raises(UsageError, match="'mlflow', but pandas is not installed"):
        tracker.check(["mlflow"])
    with pytest.raises(UsageError, match=r"'mlflow' and 'wandb', but pandas and wandb are not .*\[mlflow,wandb\]', or"):
        tracker.check(["mlflow", "wandb"])


def test_a_service_that_cannot_begin_is_told_in_a_sentence(tmp_path, monkeypatch):
    watcher = MlflowRun(tmp_path, {})
    monkeypatch.setattr(watcher, "begin", lambda known: (_ for _ in ()).throw(RuntimeError("no key\nat line 3")))
    with pytest.raises(UsageError, match="'mlflow', which could not begin: no key$"):
        watcher.on_train_begin()


def test_a_service_that_fails_on_the_way_costs_no_training_and_is_told(tmp_path, monkeypatch, capsys):
    class Unreachable(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise ConnectionError("no route to host\nin a pool")

    def lost():
        raise TimeoutError

    watcher = MlflowRun(tmp_path, {})
    monkeypatch.setattr(watcher, "begin", lambda known: (Unreachable(), "7"))
    monkeypatch.setattr(watcher, "end", lost)
    fit(watcher, 3)
    said = " ".join(capsys.readouterr().out.split())
    kept = f"The training is as it was, and '{tmp_path / 'history.csv'}' has every epoch."
    assert said == (
        f"'mlflow' of training.log did not take epoch 2: no route to host. {kept}"
        f" 'mlflow' of training.log could not end its run: TimeoutError. {kept}"
    )
