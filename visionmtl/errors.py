"""The one exception a user's own mistake raises, its sentence, and the look-up that suggests the nearest valid name."""

import difflib
import errno
import os
import sys
from collections.abc import Iterable

DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS}


class UsageError(ValueError):
    """A user's mistake, told in one sentence: what was given, what was expected, what to do.

    The command line prints the message alone and exits with status 2.
    """


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the valid name closest to `name`, or an empty string if none is close."""
    match = difflib.get_close_matches(str(name), list(valid), n=1, cutoff=0.5)
    return f" Did you mean '{match[0]}'?" if match else ""


def one_of(name: str, valid: Iterable[str], what: str) -> str:
    """Return `name` if it is one of `valid`.

    Raises:
        UsageError: it is not; the message suggests the nearest valid name and lists them all.

    Example:
        >>> one_of("resnet50", ["resnet50", "resnet101"], "backbone")
        'resnet50'
    """
    valid = list(valid)
    if name in valid:
        return name
    raise UsageError(f"Unknown {what} '{name}'.{nearest(name, valid)} Valid: {', '.join(valid)}.")


def own_mistake(error: Exception) -> str | None:
    """Return the sentence for a user's own mistake, or None for a fault of ours, whose stack trace is wanted."""
    data = sys.modules.get("pipelines")  # what was never imported has not raised
    if isinstance(error, UsageError) or (data and isinstance(error, data.DataError)):
        return str(error)
    if isinstance(error, OSError) and error.errno in DISK:
        where = f" '{error.filename}'" if error.filename else ""
        return f"cannot write{where}: {os.strerror(error.errno)}."
    if "No space left on device" in str(error):
        return "cannot write: No space left on device."
    if type(error).__name__ == "ResourceExhaustedError":
        return "the device is out of memory; try a smaller data.batch_size or data.image_size."
    return None
