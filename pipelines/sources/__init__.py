"""Where labelled images come from: one file or folder a source, named as the source is chosen.

From outside, `get`, `names`, `options` and `describe` are used. A new source is a file with one class on `base.Format`
and no other line: `packed.py` is the shortest to copy. `files/` is what sources of files have in common, not a source.
"""

from collections.abc import Mapping
from typing import Any

from pipelines.discovery import classes
from pipelines.errors import one_of
from pipelines.sources.base import Format

SOURCES: dict[str, type[Format]] = classes(__name__, Format)


def names() -> list[str]:
    """Return the names of the sources."""
    return sorted(SOURCES)


def get(name: str, given: Mapping[str, Any] | None = None) -> Format:
    """Return the source of this name with its options.

    Args:
        name: of the source.
        given: its own options; those that are not given have their defaults.

    Raises:
        DataError: there is no such source, or it has no such option or choice; the message suggests the nearest name.
    """
    valid, given = options(name), given or {}
    for key in given:
        one_of(key, valid, f"option of source '{name}'")
    return SOURCES[name](**given)


def options(name: str) -> list[str]:
    """Return the names of a source's own options.

    Raises:
        DataError: there is no such source.
    """
    return [own.name for own in SOURCES[one_of(name, names(), "source")].options()]


def describe(name: str) -> str:
    """Return the sentence that says what a source reads.

    Raises:
        DataError: there is no such source.
    """
    return (SOURCES[one_of(name, names(), "source")].__doc__ or "").strip().partition("\n")[0]
