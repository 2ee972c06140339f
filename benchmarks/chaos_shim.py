"""A shim between Python's writers and the disk: it counts what they change beneath a folder, and strikes at the n-th.

A change is a file opened to be written, a write that reaches the system (after Python's own buffer), an fsync, a
rename, a removal, a folder made or a file cut. Writers of other languages, TensorFlow's own, pass by it: SIGKILL from
outside and a limit on the size of files reach those.
"""

import builtins
import contextlib
import errno
import io
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHANGES = ("fsync", "ftruncate", "mkdir", "pwrite", "remove", "rename", "replace", "rmdir", "truncate", "unlink")
Strike = Callable[[int, str, str], None]  # the number of a change, its kind and its path; called before it


class Shim:
    """Counts the changes that this process makes beneath a folder.

    Args:
        folder: where changes count.
        strike: called before each of them, while no other is made. Before the second half of a write it is called with
            the kind "half" and the number of the write.
    """

    def __init__(self, folder: Path, strike: Strike):
        self.folder, self.strike, self.count = os.path.realpath(folder), strike, 0
        self.lock = threading.RLock()

    @contextlib.contextmanager
    def installed(self) -> Iterator["Shim"]:
        """Stand between Python and the disk within the context."""
        usual = {name: getattr(os, name) for name in CHANGES}
        opening = io.open
        for name, function in usual.items():
            setattr(os, name, self._counted(name, function))
        io.open = builtins.open = self._opening(opening)
        try:
            yield self
        finally:
            io.open = builtins.open = opening
            for name, function in usual.items():
                setattr(os, name, function)

    @contextlib.contextmanager
    def change(self, kind: str, path: str) -> Iterator[None]:
        """Count one change, which is made within the context."""
        with self.lock:
            self.count += 1
            self.strike(self.count, kind, path)
            yield

    def beneath(self, place: Any, within: int | None = None) -> str | None:
        """Return the path of a file, by its name or the number of its handle, if it lies beneath the folder."""
        try:
            if isinstance(place, int):
                path = os.readlink(f"/proc/self/fd/{place}")
            else:
                path = os.path.join(os.getcwd() if within is None else os.readlink(f"/proc/self/fd/{within}"), place)
        except (OSError, TypeError):
            return None
        parent, name = os.path.split(os.fsdecode(path))
        path = os.path.join(os.path.realpath(parent), name)
        return path if path.startswith(self.folder) else None

    def _counted(self, kind: str, function: Callable) -> Callable:
        def counted(place: Any, *given: Any, **options: Any) -> Any:
            path = self.beneath(place, options.get("dir_fd"))
            if path is None:
                return function(place, *given, **options)
            with self.change(kind, path):
                return function(place, *given, **options)

        return counted

    def _opening(self, usual: Callable) -> Callable:
        def opening(file: Any, mode: str = "r", buffering: int = -1, *given: Any, **options: Any) -> Any:
            path = None if isinstance(file, int) or not set(mode) & set("wax+") else self.beneath(file)
            if path is None:
                return usual(file, mode, buffering, *given, **options)
            with self.change("open", path):
                raw = _Counted(self, path, mode.replace("b", "").replace("t", ""))
            if buffering == 0:
                return raw
            buffer: Any = (io.BufferedRandom if "+" in mode else io.BufferedWriter)(raw)
            options.pop("opener", None), options.pop("closefd", None)
            return buffer if "b" in mode else io.TextIOWrapper(buffer, *given, **options)

        return opening


class _Counted(io.FileIO):
    """A file whose every write is a change, made in two halves."""

    def __init__(self, shim: Shim, path: str, mode: str):
        super().__init__(path, mode)
        self.shim, self.path = shim, path

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        with self.shim.change("write", self.path):
            half = len(view) // 2
            written = super().write(view[:half]) or 0
            if written == half:
                self.shim.strike(self.shim.count, "half", self.path)
                written += super().write(view[half:]) or 0
            return written


def kill() -> None:
    """End this process as a loss of power does: nothing more of it is run."""
    os.kill(os.getpid(), signal.SIGKILL)


def between(n: int) -> Strike:
    """Kill before the n-th change."""
    return lambda number, kind, path: kill() if number >= n and kind != "half" else None


def within(n: int) -> Strike:
    """Kill in the middle of a write: the first one from the n-th change on."""
    return lambda number, kind, path: kill() if number >= n and kind == "half" else None


def asked(n: int, number: int) -> Strike:
    """Ask this process to stop, by a signal, in the middle of a write: the first one from the n-th change on."""
    sent = False

    def strike(at: int, kind: str, path: str) -> None:
        nonlocal sent
        if not sent and at >= n and kind == "half":
            sent = True
            os.kill(os.getpid(), number)

    return strike


def full(n: int) -> Strike:
    """Leave no room from the n-th change on, and of the first write that then comes half."""
    begun = False

    def strike(number: int, kind: str, path: str) -> None:
        nonlocal begun
        if number >= n and (kind in ("half", "mkdir", "pwrite") or (begun and kind == "write")):
            begun = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    return strike
