"""A comparison trains its cells, each once, whatever stops it; the trainer is a stub that learns nothing."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from compared import began, compare, figures

from visionmtl import cli, recipe
from visionmtl.comparison.compare import places

pytestmark = pytest.mark.usefixtures("stub")


@pytest.mark.slow
def test_every_arm_and_the_baseline_are_trained_at_every_seed_and_never_twice(capsys):
    assert compare("--vary", "balancing.method=equal,pcgrad", "--seeds", "2") == 0
    found = figures()
    assert list(found["arms"]) == ["single tasks", "equal", "pcgrad"]
    assert found["seeds"] == [0, 1]
    alone, pcgrad = (found["arms"][name]["seeds"]["1"] for name in ("single tasks", "pcgrad"))
    assert pcgrad["metrics"]["segmentation"] == {"mIoU": 0.51}
    assert list(pcgrad["metrics"]["classification"]) == ["accuracy"]
    assert (alone["seconds"], alone["parameters"], alone["steps"], alone["step"]) == (4.0, 200, 4, 1.0)
    assert alone["memory"] > 0  # what was seen of so short a process
    said = capsys.readouterr().out
    assert "8 of 8  pcgrad  seed 1  accuracy 0.040, mIoU 0.510" in said
    assert len(began()) == 8
    pages = {path.parent.name: path.read_text() for path in Path("out/cells").glob("*/report.html")}
    against = {name for name, page in pages.items() if "against single-task models of out (mean of 2 seeds)" in page}
    assert against == {name for name in pages if name.startswith(("equal", "pcgrad"))}
    assert len(against) == 4
    run = next(path for path in Path("out/cells").iterdir() if path.is_dir())
    run.with_name(f".{run.name}.partial.json").touch()  # of a comparison that was killed as it wrote
    assert cli.main(["compare", "out", "--no-fixed"]) == 0
    assert not list(Path("out/cells").glob(".*"))
    assert compare("--vary", "balancing.method=equal,pcgrad,cagrad", "--seeds", "3") == 0
    assert len(began()) == len(set(began())) == 15
    assert len(figures()["arms"]["cagrad"]["seeds"]) == 3


@pytest.mark.usefixtures("quick")
def test_another_recipe_is_refused_in_the_same_folder(capsys):
    assert compare("--seeds", "1") == 0
    assert compare("training.epochs=2") == 2
    assert "compares another recipe" in capsys.readouterr().err
    assert cli.main(["compare", "out", "training.epochs=2", "--no-fixed"]) == 2
    assert "has a recipe of its own" in capsys.readouterr().err


@pytest.mark.slow
def test_one_task_alone_has_nothing_to_share_and_no_folder_is_made(capsys):
    assert compare("tasks=[segmentation]") == 2
    assert "has one task, 'segmentation'" in capsys.readouterr().err
    assert compare("data.on_error=skip") == 2
    assert "would not train on the same pictures" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.usefixtures("quick")
def test_a_cell_that_fails_is_told_and_the_others_go_on(capsys):
    arms = ["--arm", "training.weight_decay=0.5", "--arm", "balancing.method=pcgrad"]
    assert compare(*arms, "--seeds", "2") == 2
    captured = capsys.readouterr()
    assert "failed: ten steps in a row were NaN." in captured.out
    assert "Trainings of 'uncertainty, weight_decay 0.5' failed, as told above" in captured.err
    found = figures()["arms"]
    failed = next(arm for name, arm in found.items() if "0.5" in name)
    assert failed["failed"] == dict.fromkeys(["0", "1"], "ten steps in a row were NaN.")
    assert not failed["seeds"]
    assert sum(len(arm["seeds"]) for arm in found.values()) == 4


@pytest.mark.usefixtures("quick")
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
    assert cli.main(["compare", "out", "--no-fixed"]) == 0
    assert began()[1] == f"{began()[0]} again"
    assert len(began()) == 4


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_each_arm_has_its_own_best_of_what_is_searched_and_fixed_weights_are_tuned():
    options = ["--vary", "balancing.method=equal,pcgrad", "--search", "learning_rate=1e-3,3e-3", "--seeds", "2"]
    assert cli.main(["compare", "small.yaml", "--run", "out", *options, "--evaluate", "test"]) == 0
    found = figures()
    assert found["split"] == "test"
    assert found["searched"] == {"training.learning_rate": [0.001, 0.003]}
    best = {"training.learning_rate": 0.003}  # the accuracy of the stub
    assert found["arms"]["pcgrad"]["chosen"] == best
    assert found["arms"]["single tasks"]["chosen"]["classification"] == best
    weights = {"classification": 1.5, "segmentation": 0.5}
    fixed = found["arms"]["tuned fixed weights"]
    assert fixed["chosen"] == {"balancing.method": "fixed", "balancing.weights": weights, **best}
    assert fixed["seeds"]["1"]["validation"] == fixed["seeds"]["1"]["metrics"]
    # At the first seed 2 x 2 of the baseline, 2 of each arm; of weights 3 candidates at the recipe's rate, then 2.
    assert len(began()) == len(set(began())) == (4 + 2) + (2 + 1) * 2 + (3 + 2 + 1)
    measured = [path.parent.name for path in Path("out/cells").glob("*/metrics.json") if "test" in path.read_text()]
    assert len(measured) == 4 + 2 + 2 + 2, "nothing but what was chosen is measured on the test split"


@pytest.mark.usefixtures("quick")
def test_seconds_are_shared_out_after_a_short_calibration():
    assert compare("--seeds", "1", "--budget", "seconds=30") == 0
    lengths = {}
    for path in Path("out/cells").glob("*.yaml"):
        training = recipe.load(path).training
        lengths.setdefault(path.name.partition("-seed")[0], set()).add((training.epochs, training.steps))
    joint = lengths.pop("hard-uncertainty")
    assert lengths.pop("calibration-of-hard-uncertainty") == {(3, 20)}
    # The stub takes 1 s before its first step, 0.5 s a step, and 0.5 s an epoch.
    assert joint == {(3, 18)}
    assert lengths["single-classification"] == lengths["single-segmentation"] == {(2, 13)}
    assert figures()["budget"] == {"of": "seconds", "amount": 30.0}


@pytest.mark.usefixtures("quick")
def test_an_arm_that_has_no_time_for_a_step_fails_alone(capsys):
    assert compare("--seeds", "1", "--budget", "seconds=2.8") == 2
    assert "Trainings of 'single tasks' failed" in capsys.readouterr().err
    found = figures()["arms"]
    assert found["single tasks"]["failed"]["0"].startswith("2.8 seconds leave no step: 2 s pass before the first one")
    assert found["hard, uncertainty"]["seeds"]["0"]


@pytest.mark.usefixtures("quick")
def test_shards_train_every_nth_arm_and_merge():
    options = ["--vary", "balancing.method=equal,pcgrad,cagrad", "--seeds", "1"]
    assert cli.main(["compare", "small.yaml", "--run", "one", "--no-fixed", *options, "--shard", "1/2"]) == 0
    assert cli.main(["compare", "small.yaml", "--run", "two", "--no-fixed", *options, "--shard", "2/2"]) == 0
    trained = [{path.name for path in Path(name, "cells").iterdir() if path.is_dir()} for name in ("one", "two")]
    assert [len(cells) for cells in trained] == [3, 2]
    assert not trained[0] & trained[1]
    assert compare(*options, "--merge", "one", "two") == 0
    assert not Path("out/cells/began").exists()
    assert all(arm["seeds"] for arm in figures()["arms"].values())
    assert figures()["arms"]["equal"]["seeds"]["0"]["memory"]


@pytest.mark.usefixtures("quick")
def test_two_at_once_share_the_cores_and_train_the_same():
    assert compare("--vary", "balancing.method=equal,pcgrad", "--seeds", "1", "--jobs", "2") == 0
    assert len(began()) == len(set(began())) == 4
    of = figures()["arms"]["equal"]["seeds"]["0"]
    assert of["cores"] == max(1, places.cores() // 2)
