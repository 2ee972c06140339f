"""The one exception a user's own mistake raises, its sentence, and the check of a name that raises it."""

import errno
import os
from functools import partial

from pipelines import errors
from pipelines.errors import DataError, nearest

__all__ = ["UsageError", "nearest", "one_of", "own_mistake"]

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS}


class UsageError(ValueError):
    """A user's mistake, told in one sentence: what was given, what was expected, what to do.

    The command line prints the message alone and exits with status 2.
    """


one_of = partial(errors.one_of, error=UsageError)


def own_mistake(error: Exception) -> str | None:
    """Return the sentence for a user's own mistake, or None for a fault of ours, whose stack trace is wanted."""
    if isinstance(error, UsageError | DataError):
        return str(error)
    if isinstance(error, OSError) and error.errno in DISK:
        where = f" '{error.filename}'" if error.filename else ""
        return f"cannot write{where}: {os.strerror(error.errno)}."
    if "No space left on device" in str(error):
        return "cannot write: No space left on device."
    if type(error).__name__ == "ResourceExhaustedError":
        return "the device is out of memory; try a smaller data.batch_size or data.image_size."
    return None
