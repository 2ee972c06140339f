"""What the tests of `visionmtl data` share: a data set in the working directory, and what was printed."""

import folders
import pytest


@pytest.fixture
def cats(tmp_path, monkeypatch):
    """A VOC set of five cats, three to train on and two to validate, in the working directory."""
    folders.voc(tmp_path / "cats")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def printed(capsys):
    """A function that gives the lines printed so far, their cells apart by one space."""
    return lambda: [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
