"""One writer of whole files: a crash, a full disk or a folder that cannot be written leaves what was there."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import DataError

REASONS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "the disk is full"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "there is no permission to write there"),
    errno.EROFS: "it lies on a disk that can only be read",
}
ADVICE = "Free some space or choose another folder."


@contextlib.contextmanager
def written_whole(path: Path, error: type[Exception] = DataError, advice: str = ADVICE) -> Iterator[Path]:
    """Give a name to write to that becomes `path` in the end, once all of it is on the disk.

    A reader sees the old file or the new one; after a loss of power, too.

    Args:
        path: the file; its folder is made where it is not there.
        error: raised, with one sentence, if it cannot be written.
        advice: the end of that sentence, what to do.
    """
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        synced(partial)
        os.replace(partial, path)
        synced(path.parent)
    except Exception as problem:
        reason = why_not_written(problem)
        elsewhere = getattr(problem, "filename", None)
        if reason is None or (elsewhere and Path(elsewhere) != partial and not path.is_relative_to(elsewhere)):
            raise  # no fault of writing: something that was to be read, perhaps
        raise error(f"Cannot write '{path}': {reason}. {advice}") from problem
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def is_partial(name: str) -> bool:
    """Return whether a file of this name is what an interrupted writer left behind."""
    return name.startswith(".") and ".partial" in name


def synced(path: Path) -> None:
    """Return once a file, or the entries of a folder, are on the disk, where the system can tell."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network disks refuse it for folders
            os.fsync(handle)
    finally:
        os.close(handle)


def why_not_written(error: BaseException) -> str | None:
    """Return why something could not be written, or None for an error of another kind."""
    if isinstance(error, OSError):
        return REASONS.get(error.errno or 0) or error.strerror or str(error)
    text = str(error)
    if "No space left on device" in text or "errno = 28" in text or "Disk quota exceeded" in text:
        return REASONS[errno.ENOSPC]
    if type(error).__module__.startswith("tensorflow.") and "; " in text:  # a file system's error, as TensorFlow has it
        return text.rpartition("; ")[2].strip()
    return None
