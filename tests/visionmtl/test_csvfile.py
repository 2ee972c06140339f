"""Rows that a crash or a copy left torn are told of and left out."""

import errno
import os

import pytest

from visionmtl import csvfile
from visionmtl.errors import UsageError

ROWS = [{"epoch": 1, "loss": "0.25", "val": ""}, {"epoch": 2, "loss": "0.125", "val": "0.5"}]


@pytest.mark.parametrize("cut", range(1, 13))
def test_a_file_cut_in_its_last_row_has_the_others(tmp_path, capsys, cut):
    path = tmp_path / "history.csv"
    csvfile.write(path, ROWS)
    path.write_bytes(path.read_bytes()[:-cut])
    rows = csvfile.read(path)
    assert rows == csvfile.rows_before(path, "epoch", 9) == [{"epoch": "1", "loss": "0.25", "val": ""}]
    assert "was cut or changed: 1 of 2 rows" in capsys.readouterr().out


def test_zeros_that_a_loss_of_power_left_are_no_rows(tmp_path):
    path = tmp_path / "history.csv"
    csvfile.write(path, ROWS)
    path.write_bytes(path.read_bytes() + bytes(64))
    assert len(csvfile.read(path)) == 2


@pytest.fixture
def growing(tmp_path):
    """A file that has a row by now, and is longer by each that is added."""
    table = csvfile.Growing(tmp_path / "gradients.csv", ["step"])
    table.begin([{"step": 1, "norm": "0.5"}])
    table.write()
    return table


def test_what_is_new_is_written_behind_what_was_there(growing, monkeypatch):
    monkeypatch.setattr(csvfile, "write", None)  # nothing is written again
    for step in (2, 3):
        growing.add({"step": step, "norm": "0.25"})
        growing.write()
        growing.write()
    assert growing.path.read_bytes() == b"step,norm\r\n1,0.5\r\n2,0.25\r\n3,0.25\r\n"


def test_a_new_column_or_a_file_changed_meanwhile_is_written_whole(growing):
    growing.add({"step": 2, "cosine": "1"})
    growing.write()
    assert growing.path.read_text().splitlines() == ["step,norm,cosine", "1,0.5,", "2,,1"]
    growing.path.write_bytes(growing.path.read_bytes()[:-3])  # the last row is torn
    growing.add({"step": 3})
    growing.write()
    assert [row["step"] for row in csvfile.read(growing.path)] == ["1", "3"]
    growing.path.unlink()
    growing.add({"step": 4})
    growing.write()
    assert [row["step"] for row in csvfile.read(growing.path)] == ["4"]


def test_rows_that_a_full_disk_refused_are_there_once_after_all(growing, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = growing.path.read_bytes()
    growing.add({"step": 2, "norm": "0.25"})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UsageError, match="Cannot write '.*gradients.csv': the disk is full"):
            growing.write()
    assert growing.path.read_bytes() == before
    growing.write()
    assert [row["step"] for row in csvfile.read(growing.path)] == ["1", "2"]
