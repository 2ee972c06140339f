"""Further columns of a table: how labels of a kind of one's own are read from a CSV file."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pipelines.sources.files.labels import Label


class Columns(ABC):
    """Some columns of a table, which are the labels of one more task; `register` makes one known."""

    @abstractmethod
    def claimed(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return those of a table's columns that are these; nothing else reads them then. None where it has none."""

    @abstractmethod
    def label(self, columns: tuple[str, ...]) -> Label:
        """Return what the columns label. Its reader finds what `value` returned in `item.entry.more[spec.name]`."""

    @abstractmethod
    def value(self, cells: Mapping[str, str]) -> Any:
        """Return what the cells of a row say, by their columns; None for an image without this label.

        Raises:
            ValueError: a cell is wrong; the message says which and what was expected.
        """


REGISTERED: list[Columns] = []


def register(columns: Columns) -> None:
    """Let every table be searched for these columns."""
    REGISTERED.append(columns)


class Claim(NamedTuple):
    """What reads some columns of a table, their names, and what they label."""

    columns: Columns
    names: tuple[str, ...]
    label: Label


def claims(names: Sequence[str]) -> tuple[Claim, ...]:
    """Return what is registered and has columns among those of a table."""
    return tuple(Claim(known, own, known.label(own)) for known in REGISTERED if (own := known.claimed(names)))
