"""A run folder is trained in by one process at a time, and what a lock says of a process that is gone does not last."""

import errno
import json
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import asdict, replace

import pytest

from visionmtl.errors import UsageError
from visionmtl.stopping import Stop
from visionmtl.training import lock, processes

FAR = 1_000_000_000.0  # a time long ago


@pytest.fixture(params=["locks of the disk", "no locks"])
def disk(request, monkeypatch):
    """A disk that locks files for processes, and one that does not."""
    if request.param == "no locks":
        monkeypatch.setattr(processes, "locked", lambda handle: None)
    monkeypatch.setattr(lock, "PAUSE", 0.0)
    return request.param


def left_by(run, **changes):
    """Write the lock that another process would have left in a folder."""
    run.mkdir()
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, check=True)
    holder = replace(lock.this_process(), process=int(gone.stdout), began="1", since="2026-01-01 10:00:00")
    (run / lock.LOCK).write_text(json.dumps(asdict(replace(holder, **changes))))


def test_a_folder_is_locked_once_and_free_afterwards_also_after_an_error(disk, tmp_path):
    run = tmp_path / "run"

    def work():
        with lock.held(run):
            for again in (lambda: lock.held(run).__enter__(), lambda: lock.refuse_held(run)):
                with pytest.raises(UsageError, match=rf"in use by process {os.getpid()} on host '.+' since \d{{4}}-"):
                    again()
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert not list(run.iterdir())
    lock.refuse_held(run)
    lock.refuse_held(tmp_path / "none")
    with lock.held(run):
        pass


@pytest.mark.parametrize(
    "changes",
    [{}, {"process": os.getppid()}, {"machine": "of another start/pid"}],
    ids=["gone", "its number is another's", "started again"],
)
def test_a_lock_of_a_process_that_is_gone_is_told_and_taken(disk, changes, tmp_path, capsys):
    left_by(tmp_path / "run", **changes)
    with lock.held(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / lock.LOCK).read_text())["process"] == os.getpid()
    told = capsys.readouterr().out
    assert told.count("\n") == 1
    assert "since 2026-01-01 10:00:00, which is gone" in told


def test_another_machine_is_heard_by_the_time_of_its_lock(disk, tmp_path, capsys):
    run = tmp_path / "run"
    left_by(run, host="elsewhere", machine="other/pid")
    with (
        pytest.raises(UsageError, match=r"on host 'elsewhere' .* gone for certain, remove '.*\.lock'\.$"),
        lock.held(run),
    ):
        pass
    os.utime(run / lock.LOCK, (FAR, FAR))
    with lock.held(run):
        assert "gone" in capsys.readouterr().out
    assert not list(run.iterdir())


def test_an_empty_lock_is_of_who_writes_its_name_next_and_not_for_ever(disk, tmp_path):
    (tmp_path / lock.LOCK).touch()
    if disk == "no locks":
        with pytest.raises(UsageError, match="has not said its name yet"), lock.held(tmp_path):
            pass
        os.utime(tmp_path / lock.LOCK, (FAR, FAR))
    with lock.held(tmp_path):
        assert (tmp_path / lock.LOCK).stat().st_size


def test_signs_of_life_are_given_and_who_lost_the_lock_is_told_to_stop(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "BEAT", 0.01)
    stop, path = Stop(), tmp_path / lock.LOCK
    with lock.held(tmp_path, stop):
        os.utime(path, (FAR, FAR))
        while path.stat().st_mtime == FAR:
            time.sleep(0.01)
        stop.check()
        path.write_text(json.dumps(asdict(replace(lock.this_process(), process=1, host="elsewhere"))))
        while stop.error is None:
            time.sleep(0.01)
    with pytest.raises(UsageError, match="process 1 on host 'elsewhere'.*This process holds it no longer"):
        stop.check()
    assert path.exists(), "it is another's"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(UsageError, match=r"^Cannot write '.*run': the disk is full"), lock.held(tmp_path / "run"):
        pass


@pytest.mark.parametrize("locks", [True, False], ids=["locks of the disk", "no locks"])
@pytest.mark.parametrize("stale", [False, True], ids=["no lock", "stale lock"])
def test_of_processes_that_start_at_the_same_moment_one_wins(locks, stale, tmp_path):
    run = tmp_path / "run"
    if stale:
        left_by(run)
    code = f"""
        import sys, types, time
        package = types.ModuleType("visionmtl.training")  # whose own imports take seconds
        package.__path__ = [{os.path.dirname(lock.__file__)!r}]
        sys.modules["visionmtl.training"] = package
        from pathlib import Path
        from visionmtl.errors import UsageError
        from visionmtl.training import lock, processes
        if not {locks}:
            processes.locked = lambda handle: None
        lock.PAUSE = 0.01
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            with lock.held(Path({str(run)!r})):
                print("won", flush=True)
                sys.stdin.readline()
        except UsageError as error:
            print(error, flush=True)
    """
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in begun:
        assert process.stdout.readline() == "ready\n"
    for process in begun:
        process.stdin.write("\n")
        process.stdin.flush()
    lines = []
    for process in begun:
        line = process.stdout.readline()
        lines.append(process.stdout.readline() if "is gone" in line else line)
    winner = [process.pid for process, line in zip(begun, lines, strict=True) if line == "won\n"]
    for process in begun:
        process.communicate("\n")
    assert len(winner) == 1, lines
    assert all(f"process {winner[0]} on" in line for line in lines if line != "won\n")
    assert not list(run.iterdir())
