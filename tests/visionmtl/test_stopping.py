"""Signals stop work at once, or where nothing is lost, and are afterwards what they were."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from visionmtl import cli, stopping
from visionmtl.commands.train import Train
from visionmtl.stopping import Stop, Stopped, signals


@pytest.fixture
def clock(monkeypatch):
    """Seconds that only the test counts."""
    now = [0.0]
    monkeypatch.setattr(stopping.time, "monotonic", lambda: now[0])
    return now


def test_a_signal_stops_at_once_and_its_former_handler_is_back_afterwards():
    before = {number: signal.getsignal(number) for number in stopping.ASKING}
    for number in stopping.ASKING:
        with pytest.raises(Stopped) as stopped, signals(Stop()):
            os.kill(os.getpid(), number)
        assert stopped.value.number == number
    assert {number: signal.getsignal(number) for number in stopping.ASKING} == before


def test_patient_work_is_asked_first_and_stopped_at_once_by_the_next_signal(clock, capfd):
    stop = Stop()
    stop.patient = True
    with signals(stop):
        stop.check()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped):
            stop.check()
        os.kill(os.getpid(), signal.SIGINT)  # the same moment: sent by `timeout` and by the group
        clock[0] += 2
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, "a third one waits for nothing"
    told = capfd.readouterr().err
    assert told == ("\nvisionmtl: Ctrl-C: saving a checkpoint and stopping after this step. Once more stops at once.\n")


def test_a_signal_that_a_library_swallowed_stops_where_the_next_work_begins():
    stop = Stop()
    with signals(stop):
        with contextlib.suppress(KeyboardInterrupt):  # as a bare `except` in a module that is imported
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped, match="^$"), signals(Stop()):
            pytest.fail("nothing may begin")
        with pytest.raises(Stopped):
            stopping.check()


def test_one_that_came_twice_and_was_swallowed_both_times_stops_it_too(clock):
    with signals(Stop()):
        for clock[0] in (1.0, 3.0):
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped):
            stopping.check()


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals(Stop()):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_nothing_more_is_written_to_a_terminal_that_was_closed(tmp_path):
    with (tmp_path / "terminal").open("w") as terminal:
        stop = Stop()
        stop._terminals = [terminal.fileno()]
        with pytest.raises(Stopped):
            stop(signal.SIGHUP)
        os.write(terminal.fileno(), b"a line")
    assert not (tmp_path / "terminal").read_text()


def test_another_thread_than_the_main_one_installs_nothing():
    seen = []

    def work():
        with signals(Stop()) as stop:
            seen.append(signal.getsignal(signal.SIGTERM) is stop)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


@pytest.mark.parametrize(
    ("number", "resumable", "status"),
    [
        (signal.SIGTERM, True, 75),
        (signal.SIGUSR1, True, 75),
        (signal.SIGHUP, True, 75),
        (signal.SIGINT, True, 130),
        (signal.SIGTERM, False, 143),
        (signal.SIGINT, False, 130),
    ],
)
def test_the_exit_status_says_what_stopped_a_command_and_whether_it_goes_on(
    number, resumable, status, monkeypatch, capsys
):
    def stop(self, args):
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt as stopped:
            raise stopping.saying(stopped, "Go on.", resumable) from None

    monkeypatch.setattr(Train, "run", stop)
    assert cli.main(["train", "garments"]) == status
    name = "Ctrl-C" if number == signal.SIGINT else number.name
    assert capsys.readouterr().err == f"\nvisionmtl: stopped by {name}. Go on.\n"


def test_an_error_that_a_signal_caused_is_told_as_the_signal(monkeypatch, capsys):
    def stop(self, args):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            raise ImportError("a module was read by half") from None

    monkeypatch.setattr(Train, "run", stop)
    assert cli.main(["train", "garments"]) == 143
    assert "stopped by SIGTERM" in capsys.readouterr().err


STOPPED = """
import os, signal, sys
from visionmtl import cli
from visionmtl.commands.list_ import List

def run(self, args):
    print("a line that nobody reads any more")
    os.kill(os.getpid(), signal.SIGINT)

List.run = run
sys.exit(cli.main(["list", "keys"]))
"""


def test_the_status_is_that_of_the_signal_where_the_reader_was_stopped_too():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", STOPPED]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, env=buffered)
    os.close(writer)
    assert (done.returncode, done.stderr) == (130, "\nvisionmtl: stopped by Ctrl-C.\n")


def test_the_help_of_training_has_the_exit_statuses(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    shown = capsys.readouterr().out
    for status in (0, 1, 2, stopping.GO_ON_LATER, 130, 143):
        assert re.search(rf"^ .*\b{status}\b", shown, re.MULTILINE), status
