"""Where labelled images come from: one file a source, one line here."""

import inspect
from collections.abc import Callable, Iterable

from pipelines.contract import Source
from pipelines.errors import one_of
from pipelines.sources import coco, csv, folder, garments, packed, tfds, voc, yolo

SOURCES: dict[str, Callable[..., Source]] = {
    "coco": coco.coco,
    "csv": csv.csv,
    "folder": folder.folder,
    "garments": garments.garments,
    "packed": packed.packed,
    "tfds": tfds.tfds,
    "voc": voc.voc,
    "yolo": yolo.yolo,
}


def names() -> list[str]:
    """Return the names of the sources."""
    return sorted(SOURCES)


def get(name: str, given: Iterable[str] = ()) -> Callable[..., Source]:
    """Return the source of this name.

    Args:
        name: of the source.
        given: names of options that it is to take.

    Raises:
        DataError: there is no such source, or it has no such option; the message suggests the nearest name.
    """
    source = SOURCES[one_of(name, names(), "source")]
    for option in given:
        one_of(option, options(name), f"option of source '{name}'")
    return source


def options(name: str) -> list[str]:
    """Return the names of a source's own options.

    Raises:
        DataError: there is no such source.
    """
    return list(inspect.signature(get(name)).parameters)[1:]
