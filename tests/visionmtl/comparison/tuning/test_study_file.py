"""The file of a study: read from a disk that cannot be written, and the sentence where it cannot be read at all."""

import sqlite3
from pathlib import Path

import pytest
from stubs import RECIPE, Stub

from visionmtl import recipe as recipes
from visionmtl.comparison import tuning
from visionmtl.comparison.tuning import study
from visionmtl.errors import UsageError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A study of one trial."""
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(RECIPE)
    return tuning.tune("mine.yaml", [], ["training.learning_rate=1e-5..1e-1"], 1, trainer=Stub)


def test_the_best_recipe_is_exported_from_a_disk_that_cannot_be_written(folder, monkeypatch):
    monkeypatch.setattr(study, "address", lambda of: f"sqlite:///file:{of / study.FILE}?mode=ro&uri=true")
    tuning.export(folder, "best.yaml")
    assert recipes.load("best.yaml").training.learning_rate > 0
    with pytest.raises(UsageError, match=r"study.db' cannot be read or written \(attempt to write a readonly database"):
        tuning.go_on(folder, 2, trainer=Stub)


def test_an_optuna_that_is_too_old_is_told_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("optuna.__version__", "4.6.0")
    Path("mine.yaml").write_text(RECIPE)
    with pytest.raises(UsageError, match="needs Optuna 5 or later, and 4.6.0 is there"):
        tuning.tune("mine.yaml", [], ["training.learning_rate=1e-5..1e-1"], 1, trainer=Stub)
    assert not Path("runs").exists()


def test_a_damaged_file_is_told_in_a_sentence(folder):
    (folder / study.FILE).write_bytes(b"no database at all" * 100)
    for work in (lambda: tuning.export(folder, "best.yaml"), lambda: tuning.go_on(folder, trainer=Stub)):
        with pytest.raises(UsageError, match="cannot be read or written .file is not a database"):
            work()


def test_a_file_of_another_optuna_is_told_with_what_to_do(folder):
    with sqlite3.connect(folder / study.FILE) as file:
        file.execute("UPDATE alembic_version SET version_num = 'v9.9.a'")
    with pytest.raises(UsageError, match="is of another Optuna: .*pip install -U optuna"):
        tuning.export(folder, "best.yaml")


def test_a_folder_without_a_file_is_told_and_gets_none(folder):
    (folder / study.FILE).unlink()
    with pytest.raises(UsageError, match="holds no study yet"):
        tuning.export(folder, "best.yaml")
    assert not (folder / study.FILE).exists()
