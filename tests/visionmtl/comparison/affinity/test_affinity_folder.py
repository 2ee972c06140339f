"""The folder of an affinity: what is kept of it, taken up again, refused and removed, and what is not known told."""

import json

import numpy as np
import pytest
from affinity_records import record

import pipelines
from visionmtl import cli, recipe, training
from visionmtl.comparison import affinity
from visionmtl.comparison.affinity import charts, figures, groups, joint, page, verifying
from visionmtl.errors import UsageError


@pytest.fixture
def looked_at(monkeypatch, tmp_path):
    """An affinity of records that were not trained, told in a folder."""
    monkeypatch.setattr(joint, "record", lambda given, run, validated: record(seed=given.training.seed))
    monkeypatch.chdir(tmp_path)


def results(given, run):
    """What a training of some tasks comes to, of which those with the garments' class are better together."""
    better = len(given.tasks) > 1 and "segmentation" not in given.tasks
    return {task: {"AP": 1.1 if better else 1.0} for task in given.tasks}, 12


@pytest.mark.slow
def test_gains_that_were_measured_stay_when_the_scores_are_told_anew(looked_at, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(verifying, "_results", results)
    given = recipe.load("garments", ["training.epochs=3"])
    before = affinity.affinity(given, tmp_path / "a", verify=0.1)["verified"]
    monkeypatch.delattr(verifying, "_results")
    again = affinity.affinity(given, tmp_path / "a", models=3, seeds=2)["verified"]
    assert again["pairs"] == before["pairs"]
    assert set(again["ranks"]) == set(figures.SCORES)
    assert "hold here was not measured" not in (tmp_path / "a" / "affinity.html").read_text()


@pytest.mark.slow
def test_another_fraction_is_trained_beside_the_first(looked_at, monkeypatch, tmp_path):
    trained = []
    monkeypatch.setattr(verifying, "_results", lambda given, run: trained.append(run) or results(given, run))
    for fraction in (0.1, 0.25):
        affinity.affinity(recipe.load("garments"), tmp_path / "a", verify=fraction)
    assert {run.parent.name for run in trained} == {"verify-0.1", "verify-0.25"}


def test_what_is_not_known_of_the_gains_is_said(looked_at, monkeypatch, tmp_path, capsys):
    nothing = {"AP": 0.0}
    monkeypatch.setattr(verifying, "_results", lambda given, run: (dict.fromkeys(given.tasks, nothing), 5))
    found = affinity.affinity(recipe.load("garments", ["training.epochs=3"]), tmp_path / "a", verify=0.1)
    json.dumps(found, allow_nan=False)
    printed = capsys.readouterr().out
    assert "6 of 6 gains are not known: every metric of the task alone is 0" in printed
    assert "Of fewer than 3 gains there is nothing to rank." in printed
    assert "Trained for fewer steps, as their sources have fewer pictures: classification; detection;" in printed
    assert "6 of 6 gains are not known" in (tmp_path / "a" / "affinity.html").read_text()


@pytest.mark.slow
def test_half_precision_is_told_beside_what_drowns_in_it(looked_at, tmp_path, capsys):
    affinity.affinity(recipe.load("garments", ["training.precision=mixed_bfloat16"]), tmp_path / "a")
    for text in (capsys.readouterr().out, (tmp_path / "a" / "affinity.html").read_text()):
        assert "mixed_bfloat16: it tells losses to two or three digits" in text
    affinity.affinity(recipe.load("garments"), tmp_path / "b")
    assert "digits" not in capsys.readouterr().out


def test_a_task_of_few_pictures_is_trained_for_as_many_steps_as_all():
    part = groups.shortened(recipe.load("garments", ["training.epochs=20"]), 0.1, steps=100).training
    assert (part.epochs, part.steps) == (2, 100)


def test_gains_need_a_validation_split(tmp_path):
    given = recipe.load("garments", ["training.epochs=3"])
    run = tmp_path / "run"
    run.mkdir()
    for name, text in {
        "recipe.yaml": given.dump(),
        "metrics.json": json.dumps({"seconds": 1.0, "steps": 3}),
        "report.html": "",
    }.items():
        (run / name).write_text(text)
    with pytest.raises(UsageError, match="has no validation split, by which --verify"):
        verifying._results(given, run)


def test_where_nothing_is_known_of_any_pair_no_division_is_praised(tmp_path):
    apart = record(common=0.0)
    apart.both[:] = np.diag(np.diag(apart.both))
    found = figures.figures({0: apart}, 2)
    assert {pair["verdict"] for pair in found["pairs"]} == {"no verdict"}
    assert page.sentence(found).startswith("Nothing is known of any pair")


def test_where_no_pair_is_clearly_helped_or_hindered_a_division_may_be_chance():
    noise = np.random.default_rng(0).normal(0, 0.1, (12, 3, 3))
    unclear = figures.figures({0: record()._replace(lookahead=noise)}, 2)
    assert {pair["verdict"] for pair in unclear["pairs"]} == {"no difference"}
    assert page.sentence(unclear).endswith("No pair is clearly helped or hindered: this division may be chance.")
    assert "chance" not in page.sentence(figures.figures({0: record()}, 2))


def test_fewer_models_than_asked_for_and_pairs_that_are_not_known_are_told():
    some = record(common=0.0)
    assert "so has what is not known, as of 2 of 3 pairs." in page.sentence(figures.figures({0: some}, 2))
    friends = record()._replace(lookahead=np.full((12, 3, 3), 0.2))
    assert page.sentence(figures.figures({0: friends}, 5)).endswith("One model brings the most.")


def test_looks_without_a_finite_loss_are_counted():
    found = {"recipe": "mine"} | figures.figures({0: record()._replace(broken=3)}, 2)
    assert ("looks in which a loss was NaN or infinite, and does not count", "3") in page.facts(found)
    assert len(charts.verdicts(found)) == 3


@pytest.mark.parametrize("error", [UsageError("wrong"), pipelines.DataError("wrong")])
def test_a_mistake_found_before_the_training_leaves_no_folder(error, monkeypatch, tmp_path):
    def refuse(*given):
        raise error

    monkeypatch.setattr(joint, "record", refuse)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(type(error)):
        affinity.affinity(recipe.load("garments"))
    assert not list((tmp_path / "runs").iterdir())


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "recipe.yaml").write_text("name: mine")
    with pytest.raises(UsageError, match="no affinity was looked at in it"):
        affinity.affinity(recipe.load("garments"), tmp_path)
    with pytest.raises(UsageError, match="is a file: name a folder"):
        affinity.affinity(recipe.load("garments"), tmp_path / "recipe.yaml")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["garments", "--seeds", "0"], "seeds=0: expected a whole number of at least 1"),
        (["--self-test", "--seeds", "0"], "seeds=0: expected a whole number of at least 1"),
        (["--self-test", "--models", "3"], "--self-test, which takes --seeds and --run and nothing else"),
        (["--models", "3"], "Give a recipe whose tasks to look at"),
        (["garments", "data.sampling=alternate"], "a batch has labels of one task"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["affinity", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_was_seen_outlives_a_stop_while_the_model_is_measured(monkeypatch, tmp_path):
    given, run, called = recipe.load("garments"), tmp_path / "seed-0", []

    def train(trained, run, devices, watching):
        run.mkdir()
        (run / "recipe.yaml").write_text(trained.dump())
        record().write(run / joint.SEEN)
        raise KeyboardInterrupt

    def resume(run, devices, watching):
        called.append(run)
        (run / "metrics.json").write_text(json.dumps({"seconds": 1.0}))
        (run / "report.html").write_text("")

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(training, "resume", resume)
    with pytest.raises(KeyboardInterrupt):
        joint.record(given, run)
    for _ in range(2):
        assert joint.record(given, run).tasks == record().tasks
    assert called == [run], "the run is measured once, not trained again"
