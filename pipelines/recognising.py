"""`recognise`: which source reads a folder, by the layouts whose signs lie in it."""

from collections import Counter
from pathlib import Path

from pipelines import sources
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError, nearest
from pipelines.sources import foreign
from pipelines.sources.layouts import Layout

SHOWN = 4  # names of a folder that nothing recognises
NEAR = 3  # layouts that are shown to someone whose folder has none


def find(source: str, path: str | None = None, tree: Tree | None = None) -> tuple[str, str | None]:
    """Return the name of a source and its path, of a name (and a path), or of a folder or CSV file alone.

    Args:
        source: the name, or the folder or file.
        path: where the data is, if `source` is a name.
        tree: the files of the folder, if they were walked already.

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
    return recognise(Path(source), tree), source


def recognise(path: Path, tree: Tree | None = None) -> str:
    """Return the name of the source that reads a folder, or a file such as a CSV.

    A folder must have all signs of a layout, and of the layouts of one source alone; a layout within another, as masks
    beside the images of COCO, does not count.

    Args:
        path: the folder or file.
        tree: its files, if they were walked already.

    Raises:
        DataError: it is absent, like nothing that is known, like the layouts of two sources, or of one in doubt.

    Example:
        >>> recognise(Path("data/camvid"))
        'coco'
    """
    if not path.exists():
        raise DataError(f"'{path}' is neither a folder nor a file.")
    tree = tree or Tree.of(path)
    fitting = [(name, layout) for name, layout in _layouts() if layout.fits(tree)]
    covered = {name for _, layout in fitting for name in layout.covers}
    fitting = [(source, layout) for source, layout in fitting if layout.name not in covered]
    names = list(dict.fromkeys(source for source, _ in fitting))
    if len(names) == 1:
        if all(doubts := [layout.doubt(tree) for _, layout in fitting]):
            raise DataError(doubts[0])
        return names[0]
    if names:
        seen = "; ".join(f"{layout.name} ({', '.join(sign.words for sign in layout.signs)})" for _, layout in fitting)
        raise DataError(
            f"'{path}' is like {' and '.join(names)} at once: {seen}. Name the source, as data.source={names[0]} "
            f"data.path={path}; what labels the same pictures can be joined."
        )
    if known := foreign.told(tree):
        raise DataError(f"'{path}' {known}")
    raise DataError(f"'{path}' is like no data set that is known: it {_seen(path)}. {_nearest(tree)}")


def instead(source: str, path: Path, tree: Tree | None = None) -> str:
    """Return what to tell who named a source for a folder that is like those of another; "" where it is not.

    Args:
        source: the name that was given.
        path: the folder or file.
        tree: its files, if they were walked already.
    """
    try:
        other = recognise(path, tree)
    except DataError:
        return ""
    if other == source or not sources.SOURCES[source].layouts:
        return ""
    tree = tree or Tree.of(path)
    looks = next(layout for name, layout in _layouts() if name == other and layout.fits(tree))
    signs = ", ".join(sign.words for sign in looks.signs)
    return f"It was read as {source}, and is like {looks.name} ({signs}): name its source, as data.source={other}."


def _layouts() -> list[tuple[str, Layout]]:
    return [(name, layout) for name, source in sources.SOURCES.items() for layout in source.layouts]


def _nearest(tree: Tree) -> str:
    """Say which layouts a folder has some signs of, and how these look; where it has none, how each source looks."""
    near = [(layout, seen) for _, layout in _layouts() if (seen := layout.seen(tree))]
    if near:
        near.sort(key=lambda pair: -len(pair[1]) / len(pair[0].signs))
        looks = "; ".join(f"{layout.name}: {layout.look}{_lacking(layout, seen)}" for layout, seen in near[:NEAR])
        return f"The nearest layouts are {looks}."
    first = dict(sorted(dict(reversed(_layouts())).items())).values()
    return f"Layouts are, among others, {'; '.join(f'{layout.name}: {layout.look}' for layout in first)}."


def _lacking(layout: Layout, seen: list[str]) -> str:
    """Say which signs of a layout a folder lacks."""
    lacking = [sign.words for sign in layout.signs if sign.words not in seen]
    return f" (not found: {'; '.join(lacking)})" if lacking else ""


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
