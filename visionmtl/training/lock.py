"""The lock of a run folder: one process trains in it at a time, and another one is told which."""

import contextlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from visionmtl.errors import UsageError
from visionmtl.files import told
from visionmtl.stopping import Stop
from visionmtl.training import processes

LOCK = ".lock"
BEAT = 30.0  # seconds between signs of life
SILENCE = 600.0  # without one for so long, a process of another machine is taken for gone
TRIES, PAUSE = 10, 0.1  # who has just taken a lock needs a moment to write its name


@dataclass(frozen=True)
class Holder:
    """Who trains in a run folder.

    Attributes:
        host: the name of its machine.
        process: its number.
        since: when it took the lock.
        machine: see `processes.machine`.
        began: see `processes.began`.
    """

    host: str
    process: int
    since: str
    machine: str
    began: str

    def __str__(self) -> str:
        return f"process {self.process} on host '{self.host}' since {self.since}"


def this_process() -> Holder:
    """Return what this process writes into a lock."""
    now = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
    return Holder(processes.host(), os.getpid(), now, processes.machine(), processes.began(os.getpid()))


@contextlib.contextmanager
def held(run: Path, stop: Stop | None = None) -> Iterator[None]:
    """Hold the lock of a run folder, which is made where it is not there.

    The file system's own lock decides where it has any, else whether the holder's process is alive. What runs on
    another machine is known by its signs of life, the time of the file, and taken for gone ten minutes after the last.

    Args:
        run: the folder.
        stop: told to stop where another process takes the lock all the same, as after a long sleep of this one.

    Raises:
        UsageError: another process holds it, or the folder cannot be written.
    """
    path, own = run / LOCK, this_process()
    with told(run, path):
        run.mkdir(parents=True, exist_ok=True)
        handle = _taken(path, own)
    ended = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, own, ended, stop), daemon=True)
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()
        with contextlib.suppress(OSError):
            if _read(path) == own:
                path.unlink()
        os.close(handle)


def refuse_held(run: Path) -> None:
    """Return if no process trains in a folder, which need not be there.

    Raises:
        UsageError: one does.
    """
    if (run / LOCK).is_file():
        with held(run):
            pass


def _taken(path: Path, own: Holder) -> int:
    """Take a lock; return the handle that holds it for as long as it is open."""
    former = None
    for _ in range(TRIES):
        handle, made = _opened(path)
        locked = processes.locked(handle)
        former = _read(path)
        free = made if locked is None else locked and _is(path, handle)
        gone = _gone(former, own, path, locked)
        if free and (made or gone):
            if former is not None:
                _tell(path, former)
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(asdict(own)).encode(), 0)
            return handle
        os.close(handle)
        if locked is None and gone and _cleared(path, former):
            continue  # made anew by who comes first
        time.sleep(PAUSE)
    raise UsageError(_in_use(path, former, own))


def _opened(path: Path) -> tuple[int, bool]:
    """Return a handle of a file, and whether it was made for it."""
    while True:
        with contextlib.suppress(FileExistsError):
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), True
        with contextlib.suppress(FileNotFoundError):  # let go of meanwhile
            return os.open(path, os.O_RDWR), False


def _read(path: Path) -> Holder | None:
    """Return who holds a lock; None where nobody does, or has not written yet."""
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _is(path: Path, handle: int) -> bool:
    """Return whether a file is still the one that a handle was opened for."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _gone(former: Holder | None, own: Holder, path: Path, locked: bool | None) -> bool:
    """Return whether nobody trains any more who wrote a lock."""
    if former is None:
        return bool(locked) or _silent(path)
    same_kernel = processes.kernel(former.machine) == processes.kernel(own.machine)
    if locked is not None and same_kernel:
        return locked
    if former.machine == own.machine and former.began:
        return processes.began(former.process) != former.began  # another process may have its number by now
    return (former.host == own.host and not same_kernel) or _silent(path)  # the machine was started again


def _silent(path: Path) -> bool:
    """Return whether a lock's last sign of life lies far back, by the clock of the disk."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{LOCK}.clock-") as now:
            return os.fstat(now.fileno()).st_mtime - path.stat().st_mtime > SILENCE
    except FileNotFoundError:
        return True


def _cleared(path: Path, former: Holder | None) -> bool:
    """Remove the lock that a process left behind, unless another one does so; return whether this one did."""
    guard = path.with_name(f"{LOCK}.clearing")
    try:
        os.close(os.open(guard, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        if _silent(guard):
            guard.unlink(missing_ok=True)
        return False
    try:
        if _read(path) != former:
            return False
        path.unlink(missing_ok=True)
        if former is not None:
            _tell(path, former)
        return True
    finally:
        guard.unlink(missing_ok=True)


def _tell(path: Path, former: Holder) -> None:
    print(f"'{path.parent}' was left by {former}, which is gone: its lock is taken over.")


def _in_use(path: Path, former: Holder | None, own: Holder) -> str:
    who = "a process that has not said its name yet" if former is None else str(former)
    elsewhere = former is not None and former.machine != own.machine
    remove = f", or where it is gone for certain, remove '{path}'" if elsewhere else ""
    return f"'{path.parent}' is in use by {who}: wait for its end, or stop it{remove}."


def _beat(path: Path, own: Holder, ended: threading.Event, stop: Stop | None) -> None:
    """Give signs of life until the end, and have the training stop that another process has gone on with."""
    while not ended.wait(BEAT):
        with contextlib.suppress(OSError):
            holder = _read(path)
            if holder == own:
                os.utime(path)
            elif holder is not None and stop is not None:
                stop.error = UsageError(f"{_in_use(path, holder, own)} This process holds it no longer, and ends.")
                return
