"""A terminal gets a bar that is drawn in place, a file a line now and then."""

import io
import itertools

import pytest

from visionmtl.prediction import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def seconds(monkeypatch):
    """A clock that goes on by four seconds each time it is looked at, on a usual terminal."""
    monkeypatch.setattr(progress.time, "monotonic", itertools.count(0, 4).__next__)
    monkeypatch.setenv("TERM", "xterm")


def count(out):
    told = progress.Progress(1_000, 200, out)
    for _ in range(4):
        told.add(200)
    told.close()
    return out.getvalue()


def test_a_file_gets_a_line_every_ten_seconds_and_none_for_the_last_picture():
    assert count(io.StringIO()) == "800 of 1,000 pictures  50 a second  4 s left\n"


def test_a_terminal_gets_a_bar_on_one_line_that_is_cleared_in_the_end():
    lines = count(Terminal()).split(progress.CLEARED)
    assert lines[1] == f"[{'=' * 4}{' ' * 20}]  200 of 1,000 pictures"
    assert lines[-2] == f"[{'=' * 19}{' ' * 5}]  800 of 1,000 pictures  50 a second  4 s left"
    assert len(lines) == 6
    assert lines[-1] == ""


@pytest.mark.parametrize(("columns", "bar"), [(60, "[========   ]  "), (40, "")])
def test_a_bar_fits_a_narrow_terminal(monkeypatch, columns, bar):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = count(Terminal()).split(progress.CLEARED)
    assert max(map(len, lines)) < columns
    assert lines[-2] == f"{bar}800 of 1,000 pictures  50 a second  4 s left"[: columns - 1]


def test_a_terminal_that_has_no_cursor_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert count(Terminal()) == count(io.StringIO())
