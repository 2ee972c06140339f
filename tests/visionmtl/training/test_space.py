"""The space that a run will need is there before its first step, or a sentence says so."""

from collections import namedtuple

import numpy as np
import pytest

from visionmtl.errors import UsageError
from visionmtl.training import space

VARIABLES = [np.zeros((1000, 1000)), np.zeros(250_000)]  # 5 MB as files have them
NEED = 6 * 5_000_000 + space.PICTURES
Usage = namedtuple("Usage", "free")


@pytest.fixture
def free(monkeypatch):
    """Set how many bytes of the disk are free."""
    return lambda count: monkeypatch.setattr(space.shutil, "disk_usage", lambda path: Usage(count))


def test_without_room_a_run_stops_with_the_command_that_goes_on(free, tmp_path):
    free(NEED - 1)
    with pytest.raises(UsageError, match=r"needs 50 MB more .* 50 MB are free: make room, then go on with: resume$"):
        space.check(tmp_path, VARIABLES, "resume")


def test_a_run_is_told_where_room_is_near(free, tmp_path, capsys):
    free(NEED)
    space.check(tmp_path, VARIABLES, "resume")
    assert "has 50 MB left, of which the run will need 50 MB." in capsys.readouterr().out
    free(2 * NEED)
    space.check(tmp_path, VARIABLES, "resume")
    assert not capsys.readouterr().out


def test_what_a_resumed_run_has_already_is_replaced(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    for name in ("best.keras", "last.keras", "checkpoints/a", "checkpoints/b"):
        (tmp_path / name).write_bytes(bytes(5_000_000))
    assert space.need(tmp_path, VARIABLES, 2) == 2 * 5_000_000 + space.PICTURES


def test_a_step_that_is_not_finite_finds_room_once(tmp_path):
    before = space.need(tmp_path, VARIABLES, 2, batch=3_000_000)
    assert before == 6 * 5_000_000 + 3_000_000 + space.PICTURES
    (tmp_path / "nan-1").mkdir()
    (tmp_path / "nan-1" / "model.keras").write_bytes(b"")
    assert space.need(tmp_path, VARIABLES, 2, batch=3_000_000) == before - 8_000_000
