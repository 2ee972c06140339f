"""A study from its question to its best recipe, with trainers that train nothing."""

import builtins
import re
from dataclasses import replace
from pathlib import Path

import pytest
from stubs import RECIPE, Deadly, Failing, Hopeless, Killed, Stub

from visionmtl import recipe as recipes
from visionmtl import stopping
from visionmtl.comparison import tuning
from visionmtl.comparison.tuning import asking, session, study
from visionmtl.comparison.tuning import page as study_page
from visionmtl.errors import UsageError

RATE = "training.learning_rate=1e-5..1e-1"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A recipe in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(RECIPE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a study of six trials comes to that nothing interrupts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        Path("mine.yaml").write_text(RECIPE)
        return trials_of(tune())


def tune(*search, trainer=Stub, trials=6, **options):
    return tuning.tune("mine.yaml", [], search or [RATE], trials, trainer=trainer, **options)


def trials_of(folder):
    """What a study holds: number, end, draws and values of each trial."""
    asked = asking.read(folder)
    opened = study.opened(folder, asked, *session._read(folder, asked))
    return [
        (each.number, each.state.name, each.params, each.values, each.intermediate_values) for each in opened.trials
    ]


@pytest.mark.slow
def test_a_study_has_as_many_trials_as_asked_each_a_folder_and_prunes_those_behind(whole):
    folder = tune()
    assert str(folder) == "runs/tune-mine-1"
    assert trials_of(folder) == whole  # the same seed draws the same
    assert {end for _, end, *_ in whole} == {"COMPLETE", "PRUNED"}
    assert sorted(int(path.name) for path in (folder / "trials").iterdir()) == list(range(6))
    assert len((folder / "trials.csv").read_text().splitlines()) == 7


def test_another_seed_draws_another_study(whole):
    assert trials_of(tune(trials=1, seed=1))[0][2] != whole[0][2]


def test_a_folder_may_have_a_name_that_means_something_in_an_address():
    folder = tune(trials=1, run="100%3F? #1")
    assert {path.name for path in folder.iterdir()} >= {"study.db", "trials.csv"}
    assert len(trials_of(folder)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 14])
def test_a_killed_study_goes_on_to_what_it_would_have_been(epoch, whole):
    Killed.left, folder = epoch, Path("killed")
    with pytest.raises(MemoryError):
        tune(trainer=Killed, run=folder)
    assert [end for _, end, *_ in trials_of(folder)][-1] == "RUNNING"
    tuning.go_on(folder, trainer=Stub)
    assert trials_of(folder) == whole


def test_a_trial_that_takes_the_study_with_it_again_and_again_fails_and_the_others_go_on(capsys):
    folder = Path("killed")
    with pytest.raises(MemoryError):
        tune(trainer=Deadly, run=folder, trials=2)
    for _ in range(2):
        with pytest.raises(MemoryError):
            tuning.go_on(folder, trainer=Deadly)
    tuning.go_on(folder, trainer=Deadly)
    assert [end for _, end, *_ in trials_of(folder)] == ["FAIL", "COMPLETE"]
    assert "It was killed with its study 3 times" in capsys.readouterr().out


@pytest.mark.slow
def test_without_pruning_every_trial_is_trained_to_its_end():
    assert {end for _, end, *_ in trials_of(tune(prune=False))} == {"COMPLETE"}


@pytest.mark.slow
def test_more_trials_are_added_to_a_study_that_is_there(whole):
    folder = tune(trials=2)
    tuning.go_on(folder, trainer=Stub)
    assert len(trials_of(folder)) == 2
    tuning.go_on(folder, 6, trainer=Stub)
    assert trials_of(folder) == whole


def test_a_trial_that_fails_is_told_and_the_others_go_on(capsys):
    folder = tune(trainer=Failing, trials=6)
    ends = [end for _, end, *_ in trials_of(folder)]
    assert {"FAIL", "COMPLETE"} <= set(ends)
    assert len(ends) == 6
    printed = capsys.readouterr().out
    assert re.search(r"failed after \d+ s: The last 10 steps were all NaN or infinite\.", printed)
    assert f"{ends.count('FAIL')} of 6 trials failed" in printed
    with pytest.raises(UsageError, match="no trial .* that ended with a value"):
        tuning.export(folder, "best.yaml", ends.index("FAIL"))


def test_where_all_trials_fail_the_study_stops_and_says_how_to_go_on():
    with pytest.raises(UsageError, match=r"All of 5 trials have failed.*visionmtl tune runs/tune-mine-1"):
        tune(trainer=Hopeless, trials=9)


def test_the_best_trials_recipe_is_complete_and_trains_as_the_trial_did(capsys):
    folder = tune(RATE, "balancing.method=equal,cagrad", "balancing.c=0.1..0.9", trials=4)
    tuning.export(folder, "best.yaml")
    best = max(trials_of(folder), key=lambda trial: trial[3][0] if trial[1] == "COMPLETE" else -1)
    written, changes = recipes.load("best.yaml"), (folder / "trials" / str(best[0]) / "overrides.txt").read_text()
    assert written == recipes.load(folder / "recipe.yaml", changes.splitlines())
    assert written.training.learning_rate == best[2]["training.learning_rate"]
    assert f"recipe of trial {best[0]}" in capsys.readouterr().out


def test_several_objectives_have_a_pareto_set_and_prune_nothing(capsys):
    folder = tune(objectives=["tasks"], trials=5)
    assert asking.read(folder).objectives == ["val_a_acc", "val_b_mIoU"]
    assert {end for _, end, *_ in trials_of(folder)} == {"COMPLETE"}
    page = (folder / "report.html").read_text()
    assert "of the highest val_score, whose model is kept" in page
    assert f"{folder.name}: which settings are best?</h1>" in page
    assert "Go on with" not in page
    with pytest.raises(UsageError, match="choose one by --trial n, of"):
        tuning.export(folder, "best.yaml")
    tuning.export(folder, "best.yaml", 3)
    assert recipes.load("best.yaml").training.learning_rate == trials_of(folder)[3][2]["training.learning_rate"]


def test_the_page_of_a_study_that_was_stopped_says_how_to_go_on():
    folder = tune(trials=3)
    asked = replace(asking.read(folder), trials=5)
    page = study_page.write(folder, asked, recipes.load("mine.yaml"), ["trial", "end"], [[0, "done"]] * 3, {}, [], {})
    assert f"Go on with the 2 that are left</p>\n<pre>visionmtl tune {folder}</pre>" in page.read_text()


def test_an_objective_of_which_less_is_better_is_lowered():
    folder = tune(objectives=["val_a_acc", "min:val_b_RMSE"], trials=5)
    best = max(range(5), key=lambda number: trials_of(folder)[number][3][0])
    tuning.export(folder, "best.yaml")  # one trial is the best in both: they ask for the same rate
    assert recipes.load("best.yaml").training.learning_rate == trials_of(folder)[best][2]["training.learning_rate"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"objectives": ["val_a_ac"]}, "Did you mean 'val_a_acc'?"),
        ({"objectives": ["val_a_acc", "val_a_acc"]}, "one is there twice"),
        ({"objectives": ["val_a_acc", "min:val_a_acc"]}, "one is there twice"),
        ({"objectives": ["val_b_RMSE"]}, "less is better, and it would be raised: give --objectives min:val_b_RMSE"),
        ({"trials": 0}, "--trials is 0"),
        ({"seed": -1}, "--seed is -1"),
    ],
)
def test_a_mistake_is_told_before_there_is_a_folder(given, sentence, tmp_path):
    with pytest.raises(UsageError, match=sentence.replace("?", r"\?")):
        tune(**given)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("search", ["training.learning_rat=1e-4..1e-2", "training.epochs=0..5"])
def test_a_key_or_a_value_that_the_recipe_refuses_is_told_before_there_is_a_folder(search, tmp_path):
    with pytest.raises(UsageError, match=search.partition("=")[0]):
        tune(search)
    assert not (tmp_path / "runs").exists()


def test_trials_that_would_end_before_they_are_measured_are_refused(tmp_path):
    for overrides, search in (
        [["training.validate_every=10"], RATE],
        [["training.validate_every=4"], "training.epochs=3..9"],
    ):
        with pytest.raises(UsageError, match="would end before it is measured"):
            tuning.tune("mine.yaml", overrides, [search], trainer=Stub)
    assert not (tmp_path / "runs").exists()


def test_a_signal_stops_a_study_that_says_how_to_go_on():
    class Asked(Stub):
        def train(self, run, recipe, overrides, on_epoch):
            raise stopping.Stopped(15)

    with pytest.raises(stopping.Stopped, match="Go on with: visionmtl tune runs/tune-mine-1") as stopped:
        tune(trainer=Asked)
    assert stopped.value.status == 75


def test_without_optuna_a_sentence_names_the_extra(monkeypatch):
    usual = builtins.__import__

    def missing(name, *args, **options):
        if name == "optuna":
            raise ModuleNotFoundError("No module named 'optuna'", name="optuna")
        return usual(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match=r"visionmtl\[tune\]"):
        tune()
