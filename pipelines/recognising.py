"""`recognise`: which source reads a folder, by the layouts whose signs lie in it."""

import re
from collections import Counter
from pathlib import Path

from pipelines import sources
from pipelines.accounts.rules import beside
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError, nearest
from pipelines.sources import foreign
from pipelines.sources.csv.tables import unlabelled
from pipelines.sources.files.layout import is_picture
from pipelines.sources.layouts import Layout

SHOWN = 4  # names of a folder that nothing recognises
WORD = re.compile(r"([A-Za-z]{2,})(?=[\W\d_])")  # that a name begins with, as that of cat.0.jpg
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
    if said := unlabelled(tree):
        raise DataError(said)
    if said := _bare(tree):
        raise DataError(f"'{path}' {said}")
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


def _bare(tree: Tree) -> str:
    """Say that there are pictures and nothing that labels them, but their names perhaps; "" where more is there."""
    pictures = [name for name in tree.names if is_picture(name)]
    if not pictures or not all(is_picture(name) or beside(name) for name in tree.names):
        return ""
    own = [name for name in tree.folders if name.rpartition("/")[2].lower() in ("mask", "masks")]
    if len(own) > 1 and len({name.rpartition("/")[0] for name in own}) == len(own):
        return (
            f"has masks in {len(own)} folders, as '{own[0]}', each of one picture: move the pictures to images/ and "
            "the masks to masks/, of the same names; several of one picture are drawn into one."
        )
    stems = Counter(found[1] for name in pictures if (found := WORD.match(name.rpartition("/")[2])))
    words = ""
    if 1 < len(stems) <= len(pictures) // 4 and 2 * stems.total() > len(pictures):
        first, word = next((n, found[1]) for n in pictures if (found := WORD.match(n.rpartition("/")[2])))
        words = f" ('{first},{word}', if their names begin with the class)"
    return (
        f"has {len(pictures)} pictures, as '{pictures[0]}', and nothing that labels them: lay them in a folder per "
        f"class (cats/, dogs/, or train/cats/, ...), or write a CSV of file,label, a line each{words}."
    )


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
