"""A run that is not over has its page: after every validation, and however its training ends."""

import errno
import os
from types import SimpleNamespace

import pytest
import tensorflow as tf

from visionmtl import callbacks, files, report
from visionmtl.training import session
from visionmtl.training.devices import Together
from visionmtl.training.paging import Paging
from visionmtl.workers import ALONE


def test_the_page_is_written_after_every_validation(tmp_path):
    files.write_text(tmp_path / "history.csv", "epoch,cars_loss,val_cars_loss\n1,2,3\n")
    page, watch = tmp_path / "report.html", Paging(tmp_path)
    watch.on_epoch_end(0, {"loss": 1.0})
    assert not page.exists()
    watch.on_epoch_end(1, {"loss": 1.0, "val_loss": 2.0})
    assert "training and validation" in page.read_text()


def test_a_disk_that_is_full_costs_no_training(tmp_path, monkeypatch, capsys):
    def full(*args, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(args[0]))

    files.write_text(tmp_path / "history.csv", "epoch,cars_loss\n1,2\n")
    watch = Paging(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        watch.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    said = capsys.readouterr().out
    assert said.startswith(f"No {tmp_path / 'report.html'} for now, and the training goes on: Cannot write '")
    assert "the disk is full" in said
    assert not (tmp_path / "report.html").exists()
    watch.on_epoch_end(1, {"loss": 1.0, "val_loss": 2.0})
    assert (tmp_path / "report.html").is_file()


def test_a_fault_of_ours_in_a_page_costs_no_training_and_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "write", lambda run: {}["of a template"])
    watch = Paging(tmp_path)
    watch.on_epoch_end(2, {"val_loss": 2.0})
    told = "for now, and the training goes on: a fault of visionmtl, KeyError: 'of a template'."
    assert told in " ".join(capsys.readouterr().out.split())
    watch.close()


def test_a_training_that_is_interrupted_leaves_a_page_and_what_ended_it_is_raised(tmp_path, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    def only(given, further):
        given.watchers[:] = further
        return further

    monkeypatch.setattr(callbacks, "of_session", only)
    settings = SimpleNamespace(steps=None, validate_every=1, epochs=2, verbose=2)
    given = SimpleNamespace(
        recipe=SimpleNamespace(training=settings, data=SimpleNamespace(batch_size=4)),
        workers=ALONE,
        datasets=SimpleNamespace(splits={"train": None}, validation=None),
        model=SimpleNamespace(trainable_variables=[], fit=interrupted),
        start=None,
        run=tmp_path / "run",
        watchers=[],
    )
    given.run.mkdir()
    with pytest.raises(KeyboardInterrupt):
        session._fit(given, Together(tf.distribute.get_strategy(), ALONE), None)
    assert (given.run / "report.html").is_file()
    given.run = tmp_path / "a file"
    given.run.write_text("no folder")
    with pytest.raises(KeyboardInterrupt):
        session._fit(given, Together(tf.distribute.get_strategy(), ALONE), None)
