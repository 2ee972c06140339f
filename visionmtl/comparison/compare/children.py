"""A cell in a process of its own: started by the public command, watched, and asked to stop."""

import contextlib
import shlex
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from visionmtl.comparison import processes

COMMAND = processes.running("visionmtl")


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
        with log.open("ab") as file:
            file.write(f"$ visionmtl {shlex.join(words)}\n".encode())
        self.process = processes.started([*COMMAND, *words], log, environment)

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
