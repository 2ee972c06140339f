"""A comparison that fails in part, is merged, extended or moved goes on, and tells of it."""

import sys
from pathlib import Path

import folders
import pytest
from compared import began, compare, figures

from visionmtl import cli, files, recipe
from visionmtl.comparison.compare import children

pytestmark = pytest.mark.usefixtures("stub")


@pytest.mark.usefixtures("quick")
def test_a_calibration_that_failed_stays_known_to_another_shard():
    options = ["--arm", "training.weight_decay=0.5", "--arm", "balancing.method=pcgrad"]
    assert compare("--seeds", "1", "--budget", "seconds=30", *options) == 2
    assert cli.main(["compare", "out", "--shard", "1/3"]) == 0
    (failed,) = [arm["failed"]["0"] for arm in figures()["arms"].values() if "failed" in arm]
    assert "ten steps in a row were NaN" in failed


@pytest.mark.usefixtures("quick")
def test_a_task_that_fails_at_one_seed_is_named_and_stays_known_to_those_that_do_not_try_it(capsys, monkeypatch):
    assert compare("model.dropout=0.25", "--seeds", "2") == 2
    assert "Trainings of 'single tasks' failed" in capsys.readouterr().err
    (left,) = Path("out/cells").glob("*/checkpoints")  # to go on from; those of finished cells are gone
    assert left.parent.name.startswith("single-segmentation-")
    why = {"1": "single segmentation: it was too dry."}
    assert figures()["arms"]["single tasks"]["failed"] == why
    assert cli.main(["compare", "out", "--shard", "2/2"]) == 0, "nothing failed of what is trained here"
    assert figures()["arms"]["single tasks"]["failed"] == why
    mended = Path(children.COMMAND[1]).read_text().replace("(0.25, 1,", "(0.5, 1,")
    Path("mended.py").write_text(mended)
    monkeypatch.setattr(children, "COMMAND", (sys.executable, "mended.py"))
    assert cli.main(["compare", "out"]) == 0
    assert "failed" not in figures()["arms"]["single tasks"]
    assert not left.exists()


@pytest.mark.usefixtures("quick")
def test_a_shard_without_an_arm_is_refused(capsys):
    assert compare("--shard", "3/4") == 2
    assert "--shard was given 3/4, but there are 2 arms: expected 1/2 at most." in capsys.readouterr().err


@pytest.mark.slow
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
