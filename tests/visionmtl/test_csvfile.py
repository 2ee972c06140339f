"""Rows that a crash or a copy left torn are told of and left out."""

import pytest

from visionmtl import csvfile

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
