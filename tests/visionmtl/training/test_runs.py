"""A run folder: made, found again, and what is in it."""

import threading
import time
from types import SimpleNamespace

import keras
import pytest
from small_recipe import small

from visionmtl import files, recipe, training
from visionmtl.callbacks import Checkpoint
from visionmtl.errors import UsageError
from visionmtl.training import runs, session

pytestmark = pytest.mark.usefixtures("toy_by_name")


def flipped(content):
    """A byte in the middle is another."""
    content = bytearray(content)
    content[len(content) // 2] ^= 1
    return bytes(content)


def test_a_folder_without_splits_is_divided_as_for_training_unless_another_is_given(tmp_path):
    files.write_text(tmp_path / "recipe.yaml", recipe.load("camvid", ["data.path=photographs"]).dump())
    assert runs.read_recipe(tmp_path).data.options == {"divide": True}
    assert runs.read_recipe(tmp_path, ["data.path=other"]).data.options == {}
    assert runs.read_recipe(tmp_path, ["data.options={divide: false}"]).data.options == {"divide": False}
    kept = {"name": "streets", "text": (tmp_path / "recipe.yaml").read_text()}
    assert runs.kept_recipe(SimpleNamespace(recipe=kept)) == runs.read_recipe(tmp_path)
    with pytest.raises(UsageError, match="The recipe 'streets' that the model keeps, line 1: 'data' is missing"):
        runs.kept_recipe(SimpleNamespace(recipe=kept | {"text": "dta: 1"}))


def test_a_run_that_was_measured_on_the_way_is_resumed_without_those_figures(tmp_path, monkeypatch):
    run = runs.new(small(), tmp_path / "run")
    runs.keep_metrics(run, {"test": {"segmentation": {"mIoU": 0.1}}})

    def opened(recipe, devices, open_run, *_):
        with open_run(2) as (folder, found):
            assert found is None, "it has no checkpoint yet"
            return folder

    monkeypatch.setattr(session, "_train", opened)
    assert training.resume(run) == run
    assert runs.read_metrics(run) == {}


def test_a_training_that_was_killed_before_it_had_written_its_recipe_is_begun_again_there(tmp_path):
    (tmp_path / "run").mkdir()
    for name in (runs.LOCK, ".recipe.partial.yaml"):
        (tmp_path / "run" / name).write_text("")
    run = runs.new(small(), tmp_path / "run")
    assert sorted(path.name for path in run.iterdir()) == [runs.LOCK, "recipe.yaml"]


def test_a_run_that_was_killed_before_its_report_was_written_is_gone_on_with(tmp_path):
    run = runs.new(small(), tmp_path / "run")
    runs.keep_metrics(run, {"seconds": 1.0})
    assert not runs.is_finished(run)
    (run / "report.html").write_text("")
    assert runs.is_finished(run)
    (run / ".last.partial.keras").write_text("")
    runs.reopen(run)
    assert [path.name for path in run.iterdir()] == ["recipe.yaml"]


@pytest.mark.parametrize(
    "tear", [lambda content: content[:300], lambda content: b"", flipped], ids=["cut", "empty", "flipped"]
)
def test_a_damaged_model_is_told_and_removed_as_a_run_goes_on(tear, tmp_path, capsys, toy_model):
    run = runs.new(small(), tmp_path / "run")
    whole, broken = run / "last.keras", run / "best.keras"
    toy_model().save(whole)
    broken.write_bytes(tear(whole.read_bytes()))
    with pytest.raises(UsageError, match="is not a model that Keras can load"):
        runs.load_model(run)
    runs.reopen(run)
    assert whole.is_file()
    assert not broken.is_file()
    assert f"{broken} is damaged (" in capsys.readouterr().out
    best = Checkpoint(broken, "val_score")
    best.go_on(0.5)
    assert best.best < 0


def test_runs_are_numbered_by_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [runs.new(small()).name for _ in range(2)] == ["garments-1", "garments-2"]


def test_a_model_of_another_kind_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    with pytest.raises(UsageError, match="holds a Sequential, expected a MultiTaskModel"):
        runs.load_model(path)
    (tmp_path / "broken.keras").write_bytes(b"PK nothing")
    with pytest.raises(UsageError, match="is not a model that Keras can load"):
        runs.load_model(tmp_path / "broken.keras")
    (tmp_path / "notes.txt").write_text("a plain text")
    with pytest.raises(UsageError, match=r"notes.txt' is no model: expected a run folder or a .keras file"):
        runs.load_model(tmp_path / "notes.txt")
    (tmp_path / "exported" / "1").mkdir(parents=True)
    (tmp_path / "exported" / "1" / "saved_model.pb").touch()
    with pytest.raises(UsageError, match=r"exported' is an exported SavedModel: expected a run folder"):
        runs.load_model(tmp_path / "exported")


def test_figures_that_are_measured_at_the_same_time_are_all_kept(tmp_path, monkeypatch):
    usual = runs.write_text

    def slowly(path, text):
        began.set()
        time.sleep(0.2)  # in which the other would read, were it not kept waiting
        usual(path, text)

    monkeypatch.setattr(runs, "write_text", slowly)
    began = threading.Event()
    other = threading.Thread(target=runs.keep_metrics, args=(tmp_path, {"test": {"scene": {"accuracy": 0.5}}}))
    other.start()
    began.wait()
    runs.keep_metrics(tmp_path, {"validation": {"scene": {"accuracy": 0.6}}})
    other.join()
    assert runs.read_metrics(tmp_path).keys() == {"test", "validation"}
