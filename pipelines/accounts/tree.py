"""All files beneath a folder, found by one walk: links are followed, loops end, what systems leave is told apart."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from pipelines.accounts.rules import left_by_system, of_a_run


@dataclass(frozen=True)
class Tree:
    """The files beneath a folder, by folder; all names are relative to it and have "/" between their parts.

    Attributes:
        root: the folder, or a file, which is then all that there is.
        folders: each folder ("" is the root) and the names of the files in it, sorted.
        aside: what no source is shown, and by which rule: hidden files, what systems and trainings leave.
        broken: links that lead nowhere and folders that cannot be read, with the reason.

    Example:
        >>> tree = Tree.of(Path("data/camvid"))
        >>> "train/images" in tree.folders, tree.has("*/annotations.json")
        (True, True)
    """

    root: Path
    folders: dict[str, list[str]] = field(repr=False)
    aside: dict[str, str] = field(default_factory=dict, repr=False)
    broken: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, root: Path) -> "Tree":
        """Walk a folder, or take a file alone; what is neither is empty."""
        if not root.is_dir():
            return cls(root.parent, {"": [root.name]} if root.is_file() else {})
        tree = cls(root, {})
        _walk(tree, root, "", frozenset(), None)
        return tree

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All files but those set aside, folder by folder."""
        return tuple(below(folder, file) for folder, files in self.folders.items() for file in files)

    @cached_property
    def _inner(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in filter(None, self.folders):
            outer, _, last = name.rpartition("/")
            found.setdefault(outer, []).append(last)
        return found

    def path(self, name: str) -> Path:
        """Return the path of a name."""
        return self.root / name

    def inner(self, folder: str = "") -> list[str]:
        """Return the names of the folders that lie directly in a folder, without what leads there."""
        return self._inner.get(folder, [])

    def within(self, folder: str = "") -> Iterator[str]:
        """Yield the files beneath a folder, at any depth."""
        if not folder:
            return iter(self.names)
        return (below(own, file) for own in self._of(folder) for file in self.folders[own])

    def _of(self, folder: str) -> Iterator[str]:
        """Yield a folder and those beneath it."""
        start = f"{folder}/" if folder else ""
        return (own for own in self.folders if own == folder or own.startswith(start))

    def has(self, pattern: str, folder: str = "") -> bool:
        """Whether some file's name is like a pattern; `like` explains them."""
        return next(self.like(pattern, folder), None) is not None

    def like(self, pattern: str, folder: str = "") -> Iterator[str]:
        """Yield the files whose names are like a pattern, in any case of letters.

        Args:
            pattern: `*` is anything but a "/", and `**/` any folders or none.
            folder: in which it begins, as it is called.
        """
        *parts, last = pattern.lower().split("/")
        start = f"{folder}/" if folder else ""
        for place in self._of(folder) if parts else [folder]:
            inner = place[len(start) :].lower()
            if _leads(parts, inner.split("/") if inner else []):
                files = (file for file in self.folders.get(place, ()) if fnmatchcase(file.lower(), last))
                yield from (below(place, file) for file in files)


def below(folder: str, name: str) -> str:
    """Return the name in a tree of what lies in a folder; "" is the root."""
    return f"{folder}/{name}" if folder else name


def _leads(pattern: list[str], steps: list[str]) -> bool:
    """Whether a folder's parts are those of a pattern."""
    if not pattern:
        return not steps
    if pattern[0] == "**":
        return _leads(pattern[1:], steps) or (bool(steps) and _leads(pattern, steps[1:]))
    return bool(steps) and fnmatchcase(steps[0], pattern[0]) and _leads(pattern[1:], steps[1:])


def _walk(tree: Tree, place: Path, name: str, above: frozenset[tuple[int, int]], rule: str | None) -> None:
    """Add a folder and all beneath it.

    Args:
        tree: what it is added to.
        place: the folder; `name`, relative to the root.
        above: devices and inodes of the folders that it lies in, by which a link to one of them is known.
        rule: by which all in it is set aside, or None.
    """
    try:
        status = place.stat()
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    except OSError as error:
        tree.broken[name] = f"a folder that cannot be read: {error.strerror}"
        return
    if (status.st_dev, status.st_ino) in above:
        tree.aside[name] = "a link to a folder that it lies in"
        return
    if rule is None and name:
        rule = of_a_run(name, {entry.name for entry in entries})
    files, inner = list[str](), []
    for entry in entries:
        own = below(name, entry.name)
        folder, gone = _kind(entry)
        set_aside = rule or left_by_system(entry.name, folder)
        if gone and not set_aside:
            tree.broken[own] = gone
        elif folder:
            inner.append((entry, own, set_aside))
        elif set_aside:
            tree.aside[own] = set_aside
        else:
            files.append(entry.name)
    if rule is None:
        tree.folders[name] = files
    for entry, own, set_aside in inner:
        if set_aside and entry.is_symlink():
            tree.aside[own] = set_aside  # what lies behind it is not looked at
        else:
            _walk(tree, Path(entry.path), own, above | {(status.st_dev, status.st_ino)}, set_aside)


def _kind(entry: os.DirEntry) -> tuple[bool, str | None]:
    """Return whether an entry is a folder, and what is wrong with it if it is a link to nothing."""
    try:
        if entry.is_dir():
            return True, None
        if entry.is_symlink() and not os.path.exists(entry.path):
            return False, f"a link to '{os.readlink(entry.path)}', where nothing is"
    except OSError as error:
        return False, f"cannot be read: {error.strerror}"
    return False, None
