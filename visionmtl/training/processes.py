"""What is known of processes: which machine they run on, when one began, and whether a file is locked by one."""

import contextlib
import errno
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF)


def host() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def machine() -> str:
    """Return what two processes that see each other have in common: `<this start of the machine>/<numbering>`.

    A container counts its processes for itself; locks of files hold between all containers of one machine.
    """
    return f"{_line('/proc/sys/kernel/random/boot_id') or host()}/{_numbering()}"


def kernel(of: str) -> str:
    """Return the part of a `machine` that is the same for all of its containers, until it is started again."""
    return of.partition("/")[0]


def began(process: int) -> str:
    """Return when a process began, in the system's own unit; empty where it is gone or that is unknown."""
    if Path("/proc/self/stat").exists():
        state, *rest = _line(f"/proc/{process}/stat").rpartition(")")[2].split() or [""]
        return rest[18] if rest and state not in "ZX" else ""
    with_start = ["ps", "-o", "lstart=", "-p", str(process)]
    try:
        return subprocess.run(with_start, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def locked(handle: int) -> bool | None:
    """Lock an open file for as long as it stays open, unless another process has; None where nothing locks files."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in NO_LOCKS:
            return None
        if error.errno == errno.EACCES:  # as some network disks say that it is locked
            return False
        raise
    return True


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other process is within this for a folder, where locks of files are known."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        if fcntl is not None:
            with contextlib.suppress(OSError):  # some network disks lock no folders
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _numbering() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
