"""The one exception a user's own mistake raises, and the look-up that suggests the nearest valid name."""

import difflib
from collections.abc import Iterable


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
