"""One writer of whole files and folders: a crash, a full disk or a disk that can only be read leaves what was there."""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zlib import crc32

from pipelines import leftovers
from pipelines.errors import DataError

REASONS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "the disk is full"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "there is no permission to write there"),
    errno.EROFS: "it lies on a disk that can only be read",
}
LONGEST = 255  # bytes of a name
ADVICE = "Free some space or choose another folder."


@contextlib.contextmanager
def written_whole(
    path: Path, error: type[Exception] = DataError, advice: str = ADVICE, durable: bool = True
) -> Iterator[Path]:
    """Give a name to write to that becomes `path` in the end, once all of it is on the disk.

    A reader sees the old file or the new one; after a loss of power, too.

    Args:
        path: the file; its folder is made where it is not there.
        error: raised, with one sentence, if it cannot be written.
        advice: the end of that sentence, what to do.
        durable: whether to wait for the disk. Of many small files that are easily made again, waiting is most of the
            work; without it, a loss of power may leave less than a whole one.
    """
    partial, named = _unfinished(path), False
    try:
        with told(path, partial, error=error, advice=advice):
            if not path.parent.is_dir():  # of many files in one folder, to ask is what costs least
                path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            if durable:
                synced(partial)
            os.replace(partial, path)
            named = True
            if durable:
                synced(path.parent)
    finally:
        if not named:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    """Return what a file is called until all of it is there; file systems have room for 255 bytes of a name."""
    name = f".{path.stem}.partial{path.suffix}"
    if len(os.fsencode(name)) > LONGEST:
        name = f".{crc32(os.fsencode(path.name)):08x}.partial{path.suffix}"
    return path.with_name(name)


@contextlib.contextmanager
def written_folder(
    path: Path, error: type[Exception] = DataError, advice: str = ADVICE
) -> Iterator[tuple[Path, Callable[[Path], None]]]:
    """Give an empty folder within `path` to fill, and a function that gives it a name once all of it is on the disk.

    A folder that was given no name in the end is deleted, and what a writer before this one left there that was killed.

    Args:
        path: the folder beneath which it will lie; it is made where it is not there.
        error: raised, with one sentence, if it cannot be written.
        advice: the end of that sentence, what to do.
    """
    with told(path, error=error, advice=advice):
        path.mkdir(parents=True, exist_ok=True)
        with leftovers.folder(path) as partial:

            def name(target: Path) -> None:
                written = (each for each in partial.rglob("*") if not each.is_symlink())
                with ThreadPoolExecutor() as pool:  # the disk takes many together in little more time than one
                    for _ in pool.map(synced, (partial, *written)):
                        pass
                with contextlib.suppress(OSError):
                    target.rmdir()  # an empty folder may be there already
                os.rename(partial, target)
                synced(path)

            yield partial, name


@contextlib.contextmanager
def told(
    path: Path,
    partial: Path | None = None,
    *,
    error: type[Exception] = DataError,
    advice: str = ADVICE,
    verb: str = "write",
) -> Iterator[None]:
    """Turn a fault of writing to a path, to what lies beneath it or to its temporary name into one sentence.

    Args:
        path: the file or folder.
        partial: what it is called until it is whole.
        error: raised, with the sentence.
        advice: the end of that sentence, what to do.
        verb: what cannot be done.
    """
    try:
        yield
    except Exception as problem:
        reason = why_not_written(problem)
        elsewhere = getattr(problem, "filename", None)
        if reason is None or (elsewhere and not _concerns(Path(os.fsdecode(elsewhere)), path, partial)):
            raise  # no fault of writing: something that was to be read, perhaps
        raise error(f"Cannot {verb} '{path}': {reason}. {advice}") from problem


def _concerns(name: Path, path: Path, partial: Path | None) -> bool:
    """Return whether a name in an error is that of a path, of its temporary file, or above or beneath it."""
    name, path = name.absolute(), path.absolute()
    return (
        path.is_relative_to(name) or name.is_relative_to(path) or (partial is not None and name == partial.absolute())
    )


def removed(path: Path) -> None:
    """Return once a file, or a folder with all that is in it, is no longer there.

    Raises:
        DataError: it cannot be removed.
    """
    with told(path, advice="Remove it by hand.", verb="remove"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def refuse_within(root: Path, data: Path | None) -> None:
    """Refuse a folder to write that is part of the data to be read, which would change it.

    Raises:
        DataError: it is.
    """
    if data is not None and data.is_dir() and root.resolve().is_relative_to(data.resolve()):
        raise DataError(f"'{root}' lies within the data itself: choose a folder beside '{data}'.")


def refuse_taken(root: Path) -> None:
    """Refuse a folder to write that is there and has something in it.

    Raises:
        DataError: it has.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(f"'{root}' is there already: choose a folder that is empty or new.")


def is_partial(name: str) -> bool:
    """Return whether a file of this name is what an interrupted writer left behind."""
    return name.startswith(".") and ".partial" in name


def remove_partial(folder: Path) -> None:
    """Remove the unfinished files beneath a folder that writers left there, of which none may be at work any more."""
    for path in folder.rglob(".*"):
        if is_partial(path.name) and path.is_file():
            path.unlink(missing_ok=True)


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
    text = str(error)
    if "No space left on device" in text or "errno = 28" in text or "Disk quota exceeded" in text:
        return REASONS[errno.ENOSPC]  # HDF5 raises an OSError without a number
    if isinstance(error, OSError):
        return REASONS.get(error.errno or 0) or error.strerror or text
    if type(error).__module__.startswith("tensorflow.") and "; " in text:  # a file system's error, as TensorFlow has it
        return text.rpartition("; ")[2].strip()
    return None
