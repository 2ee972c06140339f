"""The one exception a user's own mistake raises, its sentence, and the check of a name that raises it."""

import errno
from functools import partial

from pipelines import errors, files
from pipelines.errors import DataError, nearest

__all__ = ["UsageError", "nearest", "one_of", "own_mistake"]


class UsageError(ValueError):
    """A user's mistake, told in one sentence: what was given, what was expected, what to do.

    The command line prints the message alone and exits with status 2.
    """


one_of = partial(errors.one_of, error=UsageError)


def own_mistake(error: Exception) -> str | None:
    """Return the sentence for a user's own mistake, or None for a fault of ours, whose stack trace is wanted."""
    if isinstance(error, UsageError | DataError):
        return str(error)
    number, name = getattr(error, "errno", None), getattr(error, "filename", None)
    if number in (errno.EACCES, errno.EPERM):
        return f"There is no permission to read or write '{name}'." if name else f"{error}."
    full = "No space left on device" in str(error)
    if reason := files.REASONS.get(errno.ENOSPC if full else number or 0):
        what = f" '{name}'" if name else ""
        return f"Cannot write{what}: {reason}. {files.ADVICE}"
    if type(error).__name__ == "ResourceExhaustedError":
        return "the device is out of memory; try a smaller data.batch_size or data.image_size."
    return None
