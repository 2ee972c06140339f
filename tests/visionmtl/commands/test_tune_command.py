"""`visionmtl tune`: what goes together on its command line."""

import pytest

from visionmtl import cli
from visionmtl.comparison import tuning


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["garments"], "Nothing to search: give at least one --search"),
        (["garmets", "--search", "training.epochs=1..3"], "Did you mean 'garments'?"),
        (["."], "'.' is not the folder of a study"),
        (["study", "--search", "training.epochs=1..3"], "its study stays what it is"),
        (["study", "training.epochs=3"], "its study stays what it is"),
        ([".", "--search", "training.epochs=1..3"], "is a folder, but not that of a study"),
        (["garments", "--search", "training.epochs=1..3", "--run", "study"], "go on with it by visionmtl tune study"),
        (["garments", "--trial", "3"], "--trial names the trial that --export writes"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "tune.yaml").touch()
    assert cli.main(["tune", *arguments]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        (["{}"], [("go_on", None)]),
        (["{}", "--trials", "9"], [("go_on", 9)]),
        (["{}", "--export", "best.yaml"], [("export", None)]),
        (["{}", "--export", "best.yaml", "--trial", "3"], [("export", 3)]),
        (["{}", "--export", "best.yaml", "--trials", "9"], [("go_on", 9), ("export", None)]),
        (["mine", "--search", "a=1,2", "--export", "best.yaml"], [("tune", ["a=1,2"]), ("export", None)]),
    ],
)
def test_a_folder_goes_on_or_is_exported_and_a_recipe_is_searched(arguments, calls, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(tuning, "go_on", lambda folder, trials: made.append(("go_on", trials)))
    monkeypatch.setattr(tuning, "export", lambda folder, path, number: made.append(("export", number)))
    monkeypatch.setattr(tuning, "tune", lambda recipe, overrides, search, **options: made.append(("tune", search)))
    assert cli.main(["tune", *(text.format(tmp_path) for text in arguments)]) == 0
    assert made == calls


def test_objectives_are_parted_at_commas_with_spaces_or_without(monkeypatch):
    made = []
    monkeypatch.setattr(tuning, "tune", lambda *given, **options: made.append(options["objectives"]))
    assert cli.main(["tune", "mine", "--search", "a=1,2", "--objectives", "val_a, min:val_b"]) == 0
    assert made == [["val_a", "min:val_b"]]
