"""`recognise`: which source reads a folder, by what lies in it."""

from collections import Counter
from pathlib import Path

from pipelines import sources
from pipelines.errors import DataError, nearest
from pipelines.sources.base import Format

SHOWN = 4  # names of a folder that nothing recognises


def find(source: str, path: str | None = None) -> tuple[str, str | None]:
    """Return the name of a source and its path, of a name (and a path), or of a folder or CSV file alone.

    Raises:
        DataError: it is neither, or two paths are given.

    Example:
        >>> find("data/camvid")
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
    """Return the name of the source that reads a folder, or a file such as a CSV.

    Each source is asked, those of the lowest rank first.

    Raises:
        DataError: it is absent, like nothing that is known, or like two formats of one rank.

    Example:
        >>> recognise(Path("data/camvid"))
        'coco'
    """
    if not path.exists():
        raise DataError(f"'{path}' is neither a folder nor a file.")
    for rank in sorted({source.rank for source in sources.SOURCES.values()}):
        alike = [name for name, source in sources.SOURCES.items() if source.rank == rank and source.recognises(path)]
        if len(alike) > 1:
            raise DataError(
                f"'{path}' is like {' and '.join(alike)}: name the source, with data.path={path} beside it."
            )
        if alike:
            return alike[0]
    *signs, last = (source.sign for source in sorted(sources.SOURCES.values(), key=_rank) if source.sign)
    raise DataError(
        f"'{path}' is like no data set that is known: it {_seen(path)}; expected {', '.join(signs)}, or {last}."
    )


def _rank(source: type[Format]) -> int:
    return source.rank


def _seen(path: Path) -> str:
    """Say what is there, as "has the folders raw, more and 3 files (.mat, .txt)"."""
    if path.is_file():
        return f"is a file of kind {path.suffix}" if path.suffix else "is a file without a suffix"
    entries = [entry for entry in sorted(path.iterdir()) if not entry.name.startswith(".")]
    folders = [entry.name for entry in entries if entry.is_dir()]
    kinds = Counter(entry.suffix or "no suffix" for entry in entries if not entry.is_dir())
    parts = []
    if folders:
        more = f" and {len(folders) - SHOWN} more" if len(folders) > SHOWN else ""
        parts.append(f"{'the folders' if len(folders) > 1 else 'the folder'} {', '.join(folders[:SHOWN])}{more}")
    if kinds:
        count = kinds.total()
        shown = ", ".join(kind for kind, _ in kinds.most_common(SHOWN))
        parts.append(f"{count} files ({shown})" if count > 1 else f"one file ({shown})")
    return f"has {' and '.join(parts)}" if parts else "is empty"
