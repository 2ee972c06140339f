"""A comparison trains its cells, each once, whatever stops it; the trainer is a stub that learns nothing."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from visionmtl import cli, files, recipe
from visionmtl.comparison.compare import children

SMALL = [
    "data.image_size=[32, 32]",
    "data.batch_size=4",
    "data.options={train: 4, validation: 4, test: 4}",
    "tasks={classification: {}, segmentation: {}}",
    "model.weights=null",
    "training.epochs=1",
]


@pytest.fixture(autouse=True)
def stub(monkeypatch, tmp_path):
    """Have the stub train, a small recipe beside."""
    monkeypatch.setattr(children, "COMMAND", (sys.executable, str(Path(__file__).with_name("stub_trainer.py"))))
    monkeypatch.chdir(tmp_path)
    files.write_text(Path("small.yaml"), recipe.load("garments", SMALL).dump())


def compare(*words):
    """Compare into the folder "out", and return the exit status."""
    return cli.main(["compare", "small.yaml", "--run", "out", *words])


def figures():
    """Return `comparison.json`, its arms by name."""
    whole = json.loads(Path("out/comparison.json").read_text())
    return whole | {"arms": {arm["name"]: arm for arm in whole["arms"]}}


def began():
    """Return the cells that were begun, in order."""
    return Path("out/cells/began").read_text().splitlines()


def test_every_arm_and_the_baseline_are_trained_at_every_seed_and_never_twice(capsys):
    assert compare("--vary", "balancing.method=equal,pcgrad", "--seeds", "2") == 0
    found = figures()
    assert list(found["arms"]) == ["single tasks", "equal", "pcgrad"]
    assert found["seeds"] == [0, 1]
    alone, pcgrad = (found["arms"][name]["seeds"]["1"] for name in ("single tasks", "pcgrad"))
    assert pcgrad["metrics"]["segmentation"] == {"mIoU": 0.51}
    assert list(pcgrad["metrics"]["classification"]) == ["accuracy"]
    assert (alone["seconds"], alone["parameters"], alone["steps"], alone["step"]) == (4.0, 200, 4, 1.0)
    assert alone["memory"] > 1e6
    said = capsys.readouterr().out
    assert "8 of 8  pcgrad  seed 1  accuracy 0.040, mIoU 0.510" in said
    assert len(began()) == 8
    assert cli.main(["compare", "out"]) == 0
    assert compare("--vary", "balancing.method=equal,pcgrad,cagrad", "--seeds", "3") == 0
    assert len(began()) == len(set(began())) == 15
    assert len(figures()["arms"]["cagrad"]["seeds"]) == 3


def test_another_recipe_is_refused_in_the_same_folder(capsys):
    assert compare("--seeds", "1") == 0
    assert compare("training.epochs=2") == 2
    assert "compares another recipe" in capsys.readouterr().err
    assert cli.main(["compare", "out", "training.epochs=2"]) == 2
    assert "has a recipe of its own" in capsys.readouterr().err


def test_one_task_alone_has_nothing_to_share_and_no_folder_is_made(capsys):
    assert compare("tasks=[segmentation]") == 2
    assert "has one task, 'segmentation'" in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_cell_that_fails_is_told_and_the_others_go_on(capsys):
    arms = ["--arm", "training.weight_decay=0.5", "--arm", "balancing.method=pcgrad"]
    assert compare(*arms, "--seeds", "2") == 2
    captured = capsys.readouterr()
    assert "failed: ten steps in a row were NaN." in captured.out
    assert "2 of the trainings failed" in captured.err
    found = figures()["arms"]
    failed = next(arm for name, arm in found.items() if "0.5" in name)
    assert failed["failed"] == dict.fromkeys(["0", "1"], "ten steps in a row were NaN.")
    assert not failed["seeds"]
    assert sum(len(arm["seeds"]) for arm in found.values()) == 4


def test_a_signal_reaches_the_cells_and_the_command_that_goes_on_is_told(capsys, monkeypatch):
    def ask():
        while not Path("out/cells/waiting").exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setenv("STUB_WAITS", "1")
    thread = threading.Thread(target=ask)
    thread.start()
    assert compare("--seeds", "1") == 75
    thread.join()
    assert "Go on with: visionmtl compare out" in capsys.readouterr().err
    assert len(began()) == 1
    monkeypatch.delenv("STUB_WAITS")
    assert cli.main(["compare", "out"]) == 0
    assert began()[1] == f"{began()[0]} again"
    assert len(began()) == 4
