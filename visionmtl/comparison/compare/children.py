"""A cell in a process of its own: started by the public command, watched, asked to stop, and what became of it."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import visionmtl

COMMAND = (sys.executable, "-P", "-m", "visionmtl")  # without the working directory, which may hold anything
TAIL = 20_000  # bytes of a log that are looked through


class Child:
    """A process at work.

    Args:
        words: of the command, behind `visionmtl`.
        log: what it prints is added to this file.
        environment: in addition to this process's own.
    """

    def __init__(self, words: Sequence[str], log: Path, environment: Mapping[str, str]):
        self.log, self.began, self.memory = log, time.monotonic(), 0
        self.status: int | None = None
        here = str(Path(visionmtl.__file__).parents[1])  # what runs here runs there
        path = os.pathsep.join(dict.fromkeys([here, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]))
        own = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **environment}
        with log.open("ab") as file:
            file.write(f"$ visionmtl {shlex.join(words)}\n".encode())
            file.flush()
            self.process = subprocess.Popen(
                [*COMMAND, *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=os.environ | own,
                start_new_session=True,  # a terminal's Ctrl-C comes to it through this process, once
            )

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    def ended(self) -> bool:
        """Look at it: whether it has ended, and how much memory it has taken."""
        if self.status is None:
            self.memory = max(self.memory, peak(self.process.pid))
            self.status = self.process.poll()
        return self.status is not None

    def ask(self, number: int) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        self.ask(signal.SIGKILL)
        self.status = self.process.wait()


def peak(process: int) -> int:
    """Return the highest memory of a process so far, in bytes; 0 where that is not known.

    Not from what the system says of a child that ended: that is this process's own where it was higher as it forked.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1000
    return 0


def last_sentence(log: Path, status: int) -> str:
    """Return why a process ended, as its log says it."""
    if status < 0:
        name = signal.Signals(-status).name
        return f"it was ended by {name}" + (", as a system does that is out of memory." * (name == "SIGKILL") or ".")
    try:
        text = log.read_bytes()[-TAIL:].decode(errors="replace")
    except OSError:
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line.removeprefix("visionmtl: ") for line in lines if line.startswith("visionmtl: ")]
    errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return (told or errors or lines or [f"it ended with status {status}."])[-1]
