"""A comparison trains its cells, each once, whatever stops it; the trainer is a stub that learns nothing."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import folders
import pytest

from visionmtl import cli, files, recipe
from visionmtl.comparison import verdicts
from visionmtl.comparison.compare import children, opening, places
from visionmtl.comparison.compare.surveying import Survey

SMALL = [
    "data.image_size=[32, 32]",
    "data.batch_size=4",
    "data.options={train: 4, validation: 4, test: 4}",
    "tasks={classification: {}, segmentation: {}}",
    "model.weights=null",
    "training.epochs=1",
]


TASKS = {"classification": {"kind": "classification", "classes": 10}}
TASKS["segmentation"] = {"kind": "segmentation", "classes": 11}


@pytest.fixture(autouse=True)
def stub(monkeypatch, tmp_path):
    """Have the stub train; a small recipe lies beside."""
    monkeypatch.setattr(children, "COMMAND", (sys.executable, str(Path(__file__).with_name("stub_trainer.py"))))
    monkeypatch.chdir(tmp_path)
    files.write_text(Path("small.yaml"), recipe.load("garments", SMALL).dump())


@pytest.fixture
def quick(monkeypatch):
    """Read no data, and draw nothing of what comes out."""
    monkeypatch.setattr(opening, "look", lambda recipe, evaluate=None: Survey(TASKS, 20, []))
    monkeypatch.setattr(verdicts, "write", lambda folder: "the table")


def compare(*words):
    """Compare into the folder "out", without tuned fixed weights; return the exit status."""
    return cli.main(["compare", "small.yaml", "--run", "out", "--no-fixed", *words])


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
    assert alone["memory"] > 0  # what was seen of so short a process
    said = capsys.readouterr().out
    assert "8 of 8  pcgrad  seed 1  accuracy 0.040, mIoU 0.510" in said
    assert len(began()) == 8
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


@pytest.mark.usefixtures("quick")
def test_a_task_that_fails_at_one_seed_is_named_and_stays_known_to_those_that_do_not_try_it(capsys, monkeypatch):
    assert compare("model.dropout=0.25", "--seeds", "2") == 2
    assert "Trainings of 'single tasks' failed" in capsys.readouterr().err
    why = {"1": "single segmentation: it was too dry."}
    assert figures()["arms"]["single tasks"]["failed"] == why
    assert cli.main(["compare", "out", "--shard", "2/2"]) == 0, "nothing failed of what is trained here"
    assert figures()["arms"]["single tasks"]["failed"] == why
    mended = Path(children.COMMAND[1]).read_text().replace("(0.25, 1,", "(0.5, 1,")
    Path("mended.py").write_text(mended)
    monkeypatch.setattr(children, "COMMAND", (sys.executable, "mended.py"))
    assert cli.main(["compare", "out"]) == 0
    assert "failed" not in figures()["arms"]["single tasks"]


@pytest.mark.usefixtures("quick")
def test_a_shard_without_an_arm_is_refused(capsys):
    assert compare("--shard", "3/4") == 2
    assert "--shard was given 3/4, but there are 2 arms: expected 1/2 at most." in capsys.readouterr().err


def test_what_no_training_could_end_with_is_told_before_the_first(capsys, tmp_path):
    folders.voc(tmp_path / "voc", {"train": "abcdefgh", "val": "xy"})
    files.write_text(
        Path("voc.yaml"),
        "data: {source: voc, path: voc, image_size: [32, 32], batch_size: 4}\ntasks: [detection, segmentation]",
    )
    for words, sentence in (
        (["--evaluate", "test"], "--evaluate was given test, but the data of recipe voc has train, validation alone."),
        (["training.monitor=val_detection_mIoU"], "Unknown log for training.monitor: 'val_detection_mIoU'"),
        (["model.start=nowhere.keras"], "nowhere.keras'"),
    ):
        assert cli.main(["compare", "voc.yaml", "--run", "out", *words]) == 2
        assert sentence in capsys.readouterr().err
        assert not Path("out").exists()


@pytest.mark.usefixtures("quick")
def test_a_folder_that_holds_something_else_is_refused_in_words_of_a_comparison(capsys):
    Path("out").mkdir()
    Path("out/notes.txt").touch()
    assert compare() == 2
    assert "'out' is there already, and no comparison: name another folder by --run." in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_what_is_merged_and_not_asked_for_is_told_and_other_data_is_refused(capsys):
    other = ["compare", "small.yaml", "--no-fixed", "--seeds", "2", "--run", "other", "--vary"]
    assert cli.main([*other, "balancing.method=equal,pcgrad"]) == 0
    assert compare("--arm", "balancing.method=equal", "--seeds", "1", "--merge", "other") == 0
    said = capsys.readouterr().out
    assert "'other' has an arm that is not asked for here; to add it: --arm 'balancing.method=\"pcgrad\"'" in said
    assert "'other' has 2 seeds, here 1 are asked for; for all: --seeds 2" in said
    assert cli.main(["compare", "small.yaml", "training.epochs=2", "--run", "two", "--merge", "other"]) == 2
    assert "another recipe than 'two': training.epochs is 1, not 2." in capsys.readouterr().err
    Path("other/survey.json").write_text(Path("other/survey.json").read_text().replace('"steps": 20', '"steps": 30'))
    assert compare("--seeds", "1", "--merge", "other") == 2
    assert "whose data is not that of 'out': 30 steps an epoch" in capsys.readouterr().err


@pytest.mark.usefixtures("quick")
def test_runs_of_another_machine_look_for_their_data_where_this_one_has_it(tmp_path):
    where = ["data.source=voc", "data.options={}"]
    assert compare(*where, "data.path=there", "--seeds", "1") == 0
    assert compare(*where, "data.path=here", "--seeds", "1") == 0, "neither of another recipe, nor trained again"
    assert len(began()) == 3
    assert compare(*where, "data.path=here", "--seeds", "2", "--evaluate", "test") == 0
    paths = {recipe.load(path).data.path for path in Path("out/cells").glob("*/recipe.yaml")}
    assert paths == {str(tmp_path / "here")}


@pytest.mark.usefixtures("quick")
def test_a_folder_of_a_comparison_that_was_killed_as_it_began_is_begun_again():
    assert compare("--seeds", "1") == 0
    Path("new").mkdir()
    Path("out/survey.json").rename("new/survey.json")
    assert cli.main(["compare", "small.yaml", "--run", "new", "--no-fixed", "--seeds", "1", "--merge", "out"]) == 0


@pytest.mark.usefixtures("quick")
def test_memory_is_that_of_training_whatever_measuring_took(monkeypatch):
    monkeypatch.setattr(children, "peak", lambda process: 2_000_000)
    assert compare("--seeds", "1") == 0
    monkeypatch.setattr(children, "peak", lambda process: 9_000_000)
    assert cli.main(["compare", "out", "--evaluate", "train"]) == 0
    assert figures()["split"] == "train"
    assert figures()["arms"]["single tasks"]["seeds"]["0"]["memory"] == 2_000_000


@pytest.mark.usefixtures("quick")
def test_a_merge_that_was_killed_leaves_nothing_in_the_way():
    assert compare("--seeds", "1") == 0
    run = next(path for path in Path("out/cells").iterdir() if path.is_dir())
    run.with_name(f".{run.name}.partial").mkdir()
    assert cli.main(["compare", "out", "--no-fixed"]) == 0
    assert not list(Path("out/cells").glob(".*"))
