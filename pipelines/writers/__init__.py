"""Formats that a set can be written in: one file a format, named as `visionmtl data convert --to` names it.

From outside, `get` and `names` are used, and of `base` what a writer is given. A new format is a file with one class on
`base.Writer` and no other line: `voc.py` is one to copy.
"""

from pipelines.discovery import classes
from pipelines.errors import one_of
from pipelines.writers.base import Writer

WRITERS: dict[str, type[Writer]] = classes(__name__, Writer)


def names() -> list[str]:
    """Return the names of the formats."""
    return sorted(WRITERS)


def get(name: str) -> type[Writer]:
    """Return the writer of this name.

    Raises:
        DataError: there is none; the message suggests the nearest name.
    """
    return WRITERS[one_of(name, names(), "format to write")]
