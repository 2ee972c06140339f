"""The confidences of a run's models: chosen by each validation, gone on with, and put into files that have none."""

import keras
import pytest
import toys

from visionmtl import callbacks
from visionmtl.training.confidences import keep_confidences, tell_confidences

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
