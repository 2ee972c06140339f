"""A process that is forked from this one, watched step by step, struck in a given way, and what became of it."""

import contextlib
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos_shim import Shim, Strike

SECONDS = 600.0  # after which a process is taken for stuck
REPORTS = 97  # the handle on which a child says how far it is


@dataclass(frozen=True)
class Blow:
    """What strikes a process.

    Attributes:
        kind: what it is called in the table.
        strike: of the shim, counted within the process.
        seconds: after which it is killed from outside, from its beginning or from its `after`-th step.
        after: see there.
        bytes: the size that none of its files may exceed.
        room: bytes that are left on its disk from its `after`-th step on.
    """

    kind: str
    strike: Strike | None = None
    seconds: float | None = None
    after: int = 0
    bytes: int | None = None
    room: int | None = None


@dataclass
class Outcome:
    """What became of a process.

    Attributes:
        status: its exit status; negative, the signal that ended it.
        said: what it printed.
        seconds: that it took.
        reports: what it reported, `(word, number)`: each "step" made, each "kept" checkpoint, "changes" in the end.
    """

    status: int
    said: str
    seconds: float
    reports: list[tuple[str, int]] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)

    @property
    def killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.status == -signal.SIGKILL

    def last(self, word: str) -> int | None:
        """Return the last number reported with a word."""
        return next((number for other, number in reversed(self.reports) if other == word), None)


def report(word: str, number: int) -> None:
    """Report something from within a child, at once and past every buffer."""
    os.write(REPORTS, f"{word} {number}\n".encode())


def run(work: Callable[[], int], folder: Path, log: Path, blow: Blow | None = None) -> Outcome:
    """Do some work in a process of its own, forked before TensorFlow has made threads, and strike it.

    Args:
        work: returns the exit status.
        folder: beneath which changes count.
        log: a file for what it prints.
        blow: what strikes it.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _child(work, folder, log, blow, writing)
    os.close(writing)
    try:
        return _watched(child, reading, folder, log, blow)
    finally:
        os.close(reading)


def _child(work: Callable[[], int], folder: Path, log: Path, blow: Blow | None, writing: int) -> None:
    status = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(writing, REPORTS)
        for handle in (1, 2):
            os.dup2(output, handle)
        if blow is not None and blow.bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (blow.bytes, blow.bytes))
        strike = blow.strike if blow is not None and blow.strike is not None else lambda *change: None
        with Shim(folder, strike).installed() as shim:
            status = work()
        report("changes", shim.count)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _watched(child: int, reading: int, folder: Path, log: Path, blow: Blow | None) -> Outcome:
    """Wait for a child, and strike it when it is time."""
    began, text, due = time.monotonic(), b"", None
    filler, moments = folder / ".filler", list[float]()
    if blow is not None and blow.seconds is not None and not blow.after:
        due = began + blow.seconds
    while True:
        now = time.monotonic()
        until = min(began + SECONDS, due or began + SECONDS)
        ready, _, _ = select.select([reading], [], [], max(0.0, until - now))
        if not ready:
            os.kill(child, signal.SIGKILL)
            break
        more = os.read(reading, 4096)
        if not more:
            break
        text += more
        moments += [time.monotonic() - began] * more.count(b"\n")
        if blow is not None and blow.after and text.count(b"step") >= blow.after:
            if blow.seconds is not None and due is None:
                due = time.monotonic() + blow.seconds
            if blow.room is not None and not filler.exists():
                fill(filler, blow.room)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seconds = time.monotonic() - began
    filler.unlink(missing_ok=True)
    reports = [line.split() for line in text.decode().splitlines()]
    said = log.read_text(encoding="utf-8", errors="replace")
    return Outcome(status, said, seconds, [(word, int(number)) for word, number in reports], moments)


def fill(path: Path, room: int) -> None:
    """Fill a disk by one file up to some bytes."""
    with path.open("wb") as file:
        while True:
            disk = os.statvfs(path.parent)
            with contextlib.suppress(OSError):  # what the child wrote meanwhile is no longer free
                os.posix_fallocate(file.fileno(), 0, max(1, disk.f_bavail * disk.f_frsize - room))
                return


def small_disk(folder: Path, size: str) -> bool:
    """Mount a disk of some size in memory at a folder; return whether that was possible."""
    folder.mkdir(parents=True, exist_ok=True)
    command: list[Any] = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def unmounted(folder: Path) -> None:
    """Take a disk in memory away again."""
    subprocess.run(["umount", folder], capture_output=True, check=False)
