"""Ctrl-C while a command is still imported ends it with one sentence and its status, wherever in that it comes."""

import os
import signal
import subprocess
import sys

import pytest

NOT_BEGUN = "It had not begun: nothing was written."
NO_RUN = "There is no run folder yet, and nothing to go on from."
SENDING = """
import os, runpy, sys

def send(event, given):
    if event == "import" and given[0] == module and not sent:
        sent.append(module)
        os.kill(os.getpid(), number)

module, number, sent = sys.argv[1], int(sys.argv[2]), []
sys.argv = ["visionmtl", *sys.argv[3:]]
sys.addaudithook(send)
runpy.run_module("visionmtl", run_name="__main__")
"""


def stopped(module, number, words, folder):
    """Run a command that is sent a signal as it begins to import a module; return its status and what it told."""
    command = [sys.executable, "-c", SENDING, module, str(int(number)), *words]
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=os.environ | path)
    return done.returncode, done.stderr


TRAIN = ["train", "garments"]
RESUME = ["train", "--resume", "my runs/garments-1"]


@pytest.mark.parametrize(
    ("words", "module", "number", "sentence"),
    [
        (TRAIN, "argparse", signal.SIGINT, NOT_BEGUN),  # which the parser of all commands begins with
        (["list"], "visionmtl.commands._words", signal.SIGINT, NOT_BEGUN),
        (TRAIN, "argparse", signal.SIGTERM, NOT_BEGUN),
        (TRAIN, "pydantic", signal.SIGINT, NO_RUN),
        (TRAIN, "pydantic", signal.SIGTERM, NO_RUN),
        pytest.param(TRAIN, "tensorflow", signal.SIGTERM, NOT_BEGUN, marks=pytest.mark.slow),
        pytest.param(RESUME, "tensorflow", signal.SIGINT, NOT_BEGUN, marks=pytest.mark.slow),
        pytest.param(
            ["predict", "a", "b.jpg"], "tensorflow.python.eager", signal.SIGINT, NOT_BEGUN, marks=pytest.mark.slow
        ),
    ],
)
def test_a_signal_while_a_command_is_imported_is_told_in_a_sentence(words, module, number, sentence, tmp_path):
    name = "Ctrl-C" if number == signal.SIGINT else number.name
    status, told = stopped(module, number, words, tmp_path)
    assert (status, told) == (128 + number, f"\nvisionmtl: stopped by {name}. {sentence}\n")
    assert not list(tmp_path.iterdir())


def test_what_is_ignored_as_by_nohup_stays_so(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert stopped("argparse", signal.SIGHUP, ["--version"], tmp_path) == (0, "")
    finally:
        signal.signal(signal.SIGHUP, before)
