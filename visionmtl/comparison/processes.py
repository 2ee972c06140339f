"""A process beside this one that runs a module: how it is started, and why it ended."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import visionmtl

TAIL = 20_000  # bytes of a log that are looked through


def running(module: str) -> tuple[str, ...]:
    """Return how a command begins that runs a module, not from the working directory, which may hold anything."""
    return (sys.executable, "-P", "-m", module)


def started(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, held: bool = False
) -> subprocess.Popen:
    """Start a process, in a session of its own: a signal from the terminal comes to it through this process, once.

    Args:
        command: from `running` on.
        log: what it prints is added to this file.
        environment: in addition to this process's own.
        held: whether its input is a pipe, whose end tells it that this process has gone.
    """
    here = [str(Path(visionmtl.__file__).parents[1]), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    own = {"PYTHONPATH": os.pathsep.join(dict.fromkeys(here)), "PYTHONUNBUFFERED": "1", **(environment or {})}
    with log.open("ab") as file:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if held else subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | own,
            start_new_session=True,
        )


def why_ended(log: Path, status: int) -> str:
    """Return why a process ended: the sentence of a mistake or of what stopped it, a fault's line, or the signal."""
    if status == -signal.SIGKILL:
        return f"The process was killed, as for want of memory; what it printed is in {log}."
    if status < 0:
        return f"The process was ended by {signal.Signals(-status).name}; what it printed is in {log}."
    text = log.read_bytes()[-TAIL:].decode(errors="replace").rstrip() if log.is_file() else ""
    told = re.split(r"^visionmtl: ", text, flags=re.MULTILINE)[1:]
    if told and status != 1:  # with 1 these are sentences of those that wrote before it
        return told[-1]
    lines = text.splitlines()
    errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return f"A fault ended it: {[str(status), *lines[-1:], *errors[-1:]][-1]}"
