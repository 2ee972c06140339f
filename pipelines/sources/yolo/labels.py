"""Which text file holds the labels of which picture."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.accounts.tree import Tree

PREFIX = re.compile(r"[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the name of an upload


class LabelFiles:
    """The text files of a folder, by the pictures whose labels they may hold.

    As Ultralytics has it, the labels of `.../images/a.jpg` are in `.../labels/a.txt`, the last folder of that name
    being meant, or else one further up; else, as Darknet has it, in `a.txt` beside the picture. Where the picture is a
    link, or lies behind one, they are looked for beside the link first, and then beside what it leads to.

    Args:
        tree: the files of the folder.
        apart: names of those that are no labels, as the names of the classes.
    """

    def __init__(self, tree: Tree, apart: Iterable[str] = ()):
        self.tree, skipped = tree, set(apart)
        texts = (name for name in tree.names if name[-4:].lower() == ".txt" and name not in skipped)
        self.texts = {name[:-4]: name for name in texts}
        self.lower = {stem.lower(): name for stem, name in self.texts.items()}
        self.root, self.real = os.path.abspath(tree.root), os.path.realpath(tree.root)

    def of(self, image: str) -> Path | None:
        """Return the text file of a picture, by its name in the tree; None where there is none."""
        stem = os.path.splitext(image)[0]
        for place in (*_each_replaced(stem), stem):
            name = self.texts.get(place) or self.lower.get(place.lower())
            if name:
                return self.tree.path(name)
        target = os.path.realpath(os.path.join(self.root, image))
        if target != os.path.join(self.real, image):
            stem = os.path.splitext(target)[0]
            found = (Path(f"{place}.txt") for place in (replaced(stem), stem))
            return next((path for path in found if path.is_file()), None)
        return None

    def broken(self, image: str) -> str | None:
        """Return why the text file of a picture is a link to nothing, or None: it is no picture without objects."""
        stem = os.path.splitext(image)[0]
        names = [f"{place}.txt" for place in (replaced(stem), stem)]
        return next(
            (f"'{self.tree.path(name)}' is {self.tree.broken[name]}" for name in names if name in self.tree.broken),
            None,
        )

    def unmatched(self, folders: Iterable[str], used: Iterable[Path]) -> list[str]:
        """Return the text files in some folders, at any depth, that are not among those used."""
        starts, known = {f"{folder}/" if folder else "" for folder in folders}, {os.path.abspath(path) for path in used}
        return [
            name
            for name in self.texts.values()
            if any(name.startswith(start) for start in starts) and f"{self.root}/{name}" not in known
        ]


def replaced(path: str, folder: str = "labels") -> str:
    """Return a path whose last folder called images is called `folder` instead.

    Example:
        >>> replaced("images/train/a")
        'labels/train/a'
    """
    parts = path.split("/")
    for place in reversed(range(len(parts) - 1)):
        if parts[place].lower() == "images":
            parts[place] = folder
            break
    return "/".join(parts)


def _each_replaced(path: str) -> Iterator[str]:
    """Yield a path with each of its folders called images called labels instead, the last one first."""
    parts = path.split("/")
    for place in reversed(range(len(parts) - 1)):
        if parts[place].lower() == "images":
            yield "/".join([*parts[:place], "labels", *parts[place + 1 :]])


def without_prefix(images: Iterable[str], texts: Iterable[str]) -> dict[str, str]:
    """Pair pictures with text files whose names have Label Studio's prefix before the picture's name.

    Args:
        images: pictures without labels, by their names.
        texts: text files without a picture.

    Returns:
        From picture to text file; where a name is meant by several, there is no pair.
    """
    stems: dict[str, list[str]] = {}
    for text in texts:
        name = os.path.splitext(os.path.basename(text))[0]
        if PREFIX.match(name):
            stems.setdefault(PREFIX.sub("", name, count=1), []).append(text)
    found: dict[str, list[str]] = {}
    for image in images:
        found.setdefault(os.path.splitext(os.path.basename(image))[0], []).append(image)
    return {own[0]: stems[stem][0] for stem, own in found.items() if len(own) == 1 and len(stems.get(stem, ())) == 1}
