"""Which source reads a folder, by what lies in it."""

from itertools import chain
from pathlib import Path

from pipelines import sources
from pipelines.errors import DataError, nearest
from pipelines.packs.catalogue import PACK
from pipelines.packs.journal import JOURNAL
from pipelines.sources.files import layout
from pipelines.sources.yolo.source import settings_file


def find(source: str, path: str | None = None) -> tuple[str, str | None]:
    """Return the name of a source and its path, of a name (and a path), or of a folder or CSV file alone.

    Raises:
        DataError: it is neither, or two paths are given.

    Example:
        >>> find("data/camvid")  # doctest: +SKIP
        ('coco', 'data/camvid')
    """
    if source in sources.names():
        return source, path
    if path is not None:
        raise DataError(f"'{source}' is no source, and data.path names another folder; give one of them.")
    if not Path(source).exists():
        names = sources.names()
        raise DataError(
            f"'{source}' is neither a source nor a folder; sources are: {', '.join(names)}.{nearest(source, names)}"
        )
    return recognise(Path(source)), source


def recognise(path: Path) -> str:
    """Return the name of the source that reads a folder, or a CSV file.

    Raises:
        DataError: it is absent, or like nothing that is known.

    Example:
        >>> recognise(Path("data/camvid"))  # doctest: +SKIP
        'coco'
    """
    if path.is_file() and path.suffix.lower() == ".csv":
        return "csv"
    if not path.is_dir():
        raise DataError(f"'{path}' is neither a folder nor a CSV file.")
    if (path / PACK).is_file() or (path / JOURNAL).is_file():
        return "packed"
    places = [path, *layout.folders(path).values()]
    if any((place / "annotations.json").is_file() for place in places) or any(
        path.glob("annotations/instances_*.json")
    ):
        return "coco"
    if any(any((place / "Annotations").rglob("*.xml")) or (place / "SegmentationClass").is_dir() for place in places):
        return "voc"
    if settings_file(path) and any((place / "labels").is_dir() for place in places):
        return "yolo"
    if any(path.glob("*.csv")):
        return "csv"
    below = (layout.pictures_in(inner) for inner in sorted(path.iterdir()) if inner.is_dir())
    if next(chain.from_iterable(below), None):
        return "folder"
    raise DataError(
        f"'{path}' is like no data set that is known: expected annotations.json (COCO), Annotations/*.xml (VOC), "
        "data.yaml and labels/ (YOLO), a CSV file, or folders of pictures."
    )
