"""The confidences of a run's models: chosen by each validation, gone on with, and put into files that have none."""

import keras
import pytest
import toys

from visionmtl import callbacks
from visionmtl.errors import UsageError
from visionmtl.tasks.views import Views
from visionmtl.training.confidences import keep_confidences, keep_of_views, take_of_views, tell_confidences

CHOSEN = {"objects": {"cat": 0.25, "dog": 0.5}}


@pytest.fixture(scope="module")
def model():
    return toys.model(toys.tasks("objects"))


def test_they_are_chosen_when_an_epoch_was_validated_and_go_on_with_a_run(model, monkeypatch):
    chosen = []
    monkeypatch.setattr(type(model), "choose_confidences", lambda self: chosen.append(True))
    callback = callbacks.Confidences()
    callback.set_model(model)
    callback.on_epoch_end(0, {"loss": 1.0})
    assert not chosen
    callback.on_epoch_end(1, {"loss": 1.0, "val_loss": 1.0})
    assert chosen
    callback.go_on(CHOSEN)
    assert callback.keep() == model.confidences == CHOSEN


@pytest.mark.slow
def test_a_file_saved_before_any_validation_gets_them_and_others_keep_theirs(model, tmp_path):
    other = {"objects": {"cat": 0.1, "dog": 0.2}}
    for name, confidences in {"best": None, "last": other}.items():
        model.confidences = confidences
        model.save(tmp_path / f"{name}.keras")
    model.confidences = CHOSEN
    keep_confidences(model, tmp_path)
    best, last = (keras.saving.load_model(tmp_path / f"{name}.keras") for name in ("best", "last"))
    assert (best.confidences, last.confidences) == (CHOSEN, other)
    for one, two in zip(best.get_weights(), model.get_weights(), strict=True):
        assert (one == two).all()


def test_they_are_told_class_by_class(model, capsys):
    model.confidences = CHOSEN
    tell_confidences(model)
    model.confidences = None
    tell_confidences(model)
    told, untold = capsys.readouterr().out.splitlines()
    assert told == "Confidence of objects, of the best F1 on validation: cat 0.25, dog 0.50"
    assert untold == "No confidence of objects is chosen: it found no object of validation."


def test_those_of_several_views_are_kept_beside_the_run_and_taken_for_these_views_alone(model, tmp_path, capsys):
    merged, flip, small = {"objects": {"cat": 0.4, "dog": 0.6}}, Views.parsed("flip"), Views.parsed("0.5")
    keep_of_views(tmp_path, small, CHOSEN)
    keep_of_views(tmp_path, flip, merged)
    for views, confidences in ((flip, merged), (small, CHOSEN)):
        model.confidences = {"objects": {"cat": 0.1, "dog": 0.1}}
        take_of_views(model, tmp_path, views)
        assert model.confidences == confidences
    assert "chosen of these views" in capsys.readouterr().out
    take_of_views(model, tmp_path, Views.parsed("2"))
    assert model.confidences == CHOSEN
    assert f"not of these views; choose them by `visionmtl evaluate {tmp_path} --tta 2`." in capsys.readouterr().out
    take_of_views(model, tmp_path / "best.keras", flip)
    assert model.confidences == CHOSEN
    (tmp_path / "confidences.json").write_text("[")
    with pytest.raises(UsageError, match="cut or changed, and holds no confidences"):
        take_of_views(model, tmp_path, flip)
