"""Paths as lists and settings give them, of another machine or relative to who knows what, found in a folder."""

import os
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

from pipelines.accounts.tree import Tree

DRIVE = re.compile(r"^[A-Za-z]:(?=/)")


class OutsideError(ValueError):
    """A path that leads out of the folder."""


class Paths:
    """The files and folders of a tree, found by the paths that somebody wrote.

    Args:
        tree: where they are to be found.

    Example:
        >>> tree = Tree(Path("data"), {"": ["data.yaml"], "images": [], "images/train": ["a.jpg"]})
        >>> Paths(tree).find("/content/drive/images/train/a.jpg")
        'images/train/a.jpg'
        >>> Paths(tree).find("../images/train")
        'images/train'
    """

    def __init__(self, tree: Tree):
        self.root = tree.root
        self.there = {*tree.names, *tree.folders}
        self.lower: dict[str, str | None] = {}
        for name in self.there:
            key = name.lower()
            self.lower[key] = None if key in self.lower else name

    def find(self, written: str, bases: Sequence[str] = ("",)) -> str:
        """Return the name in the tree of a file or folder.

        Args:
            written: its path. One that is absolute is taken relative to the folder as far as its end is there; one that
                climbs is, if need be, taken without what it climbs.
            bases: the folders that it may be relative to, as they are named in the tree.

        Raises:
            OutsideError: it is there, but not in this folder.
            ValueError: it is not there.
        """
        path = written.strip().strip("\"'").replace("\\", "/").removeprefix("file://")
        drive = DRIVE.match(path)
        if drive or path.startswith("/"):
            return self._absolute(path[drive.end() :] if drive else path, written)
        out = False
        for base in bases:
            name = posixpath.normpath(posixpath.join(base, path))
            out = out or name.startswith("..")
            found = self._known("" if name == "." else name)
            if found is not None:
                return found
        bare = posixpath.normpath(re.sub(r"^(\.{1,2}/)+", "", path))
        parts = bare.split("/")
        if ".." not in parts:
            for start in range(max(1, len(parts) - 1)):  # not the last part alone, which could be anything's
                for base in bases:
                    found = self._known(posixpath.join(base, *parts[start:]))
                    if found is not None:
                        return found
        if out:
            raise OutsideError(written)
        raise ValueError(written)

    def _absolute(self, path: str, written: str) -> str:
        for root in (os.path.abspath(self.root), os.path.realpath(self.root)):
            if path == root or path.startswith(root.rstrip("/") + "/"):
                found = self._known(path[len(root) :].strip("/"))
                if found is not None:
                    return found
        parts = posixpath.normpath(path).strip("/").split("/")
        for start in range(len(parts)):
            found = self._known("/".join(parts[start:]))
            if found:
                return found
        if os.path.exists(path):
            raise OutsideError(written)
        raise ValueError(written)

    def _known(self, name: str) -> str | None:
        return name if name in self.there else self.lower.get(name.lower())

    def folder_of(self, file: Path) -> str:
        """Return the folder of a file, as it is named in the tree."""
        return Path(os.path.relpath(file.parent, self.root)).as_posix().removeprefix(".")
