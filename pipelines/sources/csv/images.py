"""The picture files that a table names: beside it, in a folder that is named as it, or wherever their path ends."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipelines.accounts.tree import Tree, below
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.splits import split_named, split_within

FOLDERS = ("images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "data")  # where pictures are kept
ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.]+://", re.IGNORECASE)
DRIVE = re.compile(r"^[a-zA-Z]:/")


@dataclass(frozen=True)
class Pictures:
    """The pictures beneath a folder, to be found by what tables call them.

    Attributes:
        tree: the files.
        near: names of folders, "" too, in which a name is looked for first.
    """

    tree: Tree
    near: tuple[str, ...] = ("",)

    @classmethod
    def of(cls, tree: Tree, table: Path) -> "Pictures":
        """Return the pictures of a tree as a table sees them, which may lie in an inner folder of it."""
        own = os.path.relpath(table.parent, tree.root).replace(os.sep, "/")
        own = "" if own == "." or own.startswith("..") else own
        inner = [own] + [below(own, name) for name in tree.inner(own)]
        stem, split = table.stem.casefold(), split_within(table.stem)
        near = [
            name
            for name in inner
            if name == own
            or (last := name.rpartition("/")[2].casefold()) in (*FOLDERS, stem)
            or (split and split_named(last) == split)
        ]
        return cls(tree, (*near, *(name for name in tree.inner() if name.casefold() in FOLDERS and name not in near)))

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """The pictures by their last name, in small letters, with and without its suffix."""
        found: dict[str, list[str]] = {}
        for name in layout.pictures_in(self.tree):
            last = name.rpartition("/")[2].lower()
            for key in (last, os.path.splitext(last)[0]):
                found.setdefault(key, []).append(name)
        return found

    def has(self, name: str) -> bool:
        """Whether some picture has the last name of a path, with its suffix or without."""
        last = name.replace("\\", "/").rstrip("/").rpartition("/")[2].lower()
        return bool(last) and last in self.by_name

    def find(self, names: Iterable[str]) -> "Found":
        """Find the pictures of names."""
        return _find(self, names)

    def looked(self) -> str:
        """Say where names are looked for."""
        places = ", ".join(f"'{self.tree.root / name}'" for name in self.near[:3])
        return f"{places} and, by the end of its path, beneath '{self.tree.root}'"


@dataclass(frozen=True)
class Found:
    """The pictures found.

    Attributes:
        files: by name.
        missing: why there is none, by name.
        notes: what was assumed.
    """

    files: Mapping[str, Path]
    missing: Mapping[str, str]
    notes: list[str] = field(default_factory=list)


def _find(pictures: Pictures, names: Iterable[str]) -> Found:
    files, missing, partly = dict[str, Path](), dict[str, str](), dict[str, tuple[str, str, str]]()
    there = set(pictures.tree.names)
    root, places, folded = pictures.tree.root, pictures.near, list[str]()
    start = f"{os.path.abspath(root)}{os.sep}".replace(os.sep, "/")  # of whole paths that lead here
    for name in dict.fromkeys(names):
        clean = re.sub(r"^file:/*(?=/)", "", name.replace("\\", "/"))
        if ADDRESS.match(name):
            missing[name] = f"'{name}' is a web address: download the picture and give its file"
            continue
        inside = clean.startswith(start)
        clean = clean.removeprefix(start)
        if not clean.startswith("/") and not DRIVE.match(clean):
            leads = ("",) if inside else places
            near = [os.path.normpath(below(place, clean)).replace(os.sep, "/") for place in leads]
            if near[0].startswith("../"):
                missing[name] = f"image '{name}' leads out of the image folder"
                continue
            exact = next((path for path in near if path in there), None)
            if exact and layout.is_picture(exact):
                files[name] = root / exact
                continue
        whole, prefix, place, problem = _by_end(pictures, clean)
        if problem:
            missing[name] = problem.format(name=name)
        elif prefix is None:
            files[name] = root / whole
            if whole.rpartition("/")[2] != clean.rpartition("/")[2] and "." in clean.rpartition("/")[2]:
                folded.append(name) if whole.lower().endswith(clean.lower()) else None
        else:
            partly[name] = (whole, prefix, place)
    notes = _moved(pictures, files, missing, partly)
    if folded:
        notes.append(f"names such as '{folded[0]}' differ from their files in the case of letters")
    return Found(files, missing, notes)


def _by_end(pictures: Pictures, name: str) -> tuple[str, str | None, str, str | None]:
    """Find a picture whose path ends as a name does.

    Returns:
        The picture; what leads in the name to the part that is the same, or None if all of it is; what leads to it
        here; and what is wrong, which then is all.
    """
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    if not parts:
        return "", None, "", "'{name}' is no name of a file"
    candidates = pictures.by_name.get(parts[-1].lower(), [])
    scored = [(_alike(candidate, parts), candidate) for candidate in candidates]
    best = max((score for score, _ in scored), default=0)
    if not best:
        other = pictures.by_name.get(os.path.splitext(parts[-1])[0].lower(), [])
        hint = f"; there is '{other[0]}'" if other else ""
        return "", None, "", "picture '{name}' is missing" + hint
    same = [candidate for score, candidate in scored if score == best]
    leads = {candidate: "/".join(candidate.split("/")[:-best]) for candidate in same}
    if len(same) > 1:
        order = [[c for c in same if leads[c] == place] for place in pictures.near]
        chosen = next((near for near in order if near), same)
        exact = [c for c in chosen if c.endswith(parts[-1])] or chosen
        if len(exact) > 1:
            return "", None, "", f"'{{name}}' may be '{exact[0]}' or '{exact[1]}': name their folder by option images"
        same = exact
    here = leads[same[0]]
    whole = best == len(parts) and not name.startswith("/")
    return same[0], None if whole else "/".join(parts[:-best]), here, None


def _alike(candidate: str, parts: list[str]) -> int:
    """Return how many parts at the end of a path are those of a name, in any case of letters."""
    own = candidate.lower().split("/")
    if own[-1] != parts[-1].lower() and os.path.splitext(own[-1])[0] != parts[-1].lower():
        return 0
    count = 1
    while count < min(len(own), len(parts)) and own[-count - 1] == parts[-count - 1].lower():
        count += 1
    return count


def _moved(
    pictures: Pictures, files: dict[str, Path], missing: dict[str, str], partly: dict[str, tuple[str, str, str]]
) -> list[str]:
    """Enter the pictures of names whose beginning is not here, if what stands for it is one and the same folder."""
    if not partly:
        return []
    place_of: dict[str, str] = {}
    relative = {prefix for name, (_, prefix, _) in partly.items() if not _is_absolute(name)}
    taken = {str(path) for path in files.values()}
    for name, (whole, prefix, place) in partly.items():
        steady = place_of.setdefault(prefix, place) == place
        absolute = _is_absolute(name)
        allowed = absolute or (len(relative) == 1 and place in pictures.near)
        if steady and allowed and str(pictures.tree.root / whole) not in taken:
            files[name] = pictures.tree.root / whole
        else:
            missing[name] = f"picture '{name}' is missing; there is '{whole}', which may be another"
    leads = sorted({prefix for name, (_, prefix, _) in partly.items() if name in files})
    return [f"paths begin with '{leads[0]}', which is not here: pictures are found by the rest"] if leads else []


def _is_absolute(name: str) -> bool:
    clean = name.replace("\\", "/")
    return clean.startswith(("/", "file:")) or bool(DRIVE.match(clean))


def none_is_here(where: str, names: Iterable[str], found: Found, pictures: Pictures) -> DataError:
    """Return the one error of a table whose pictures are all missing."""
    first, *others = dict.fromkeys(names)
    why = found.missing.get(first, "")
    if ADDRESS.match(first) or "may be" in why:
        return DataError(f"{where}: {why}.")
    count = f"none of its {len(others) + 1} pictures is here; the first" if others else "its picture is not here"
    return DataError(
        f"{where}: {count}, '{first}', was looked for in {pictures.looked()}. Name the folder of the pictures by "
        "option images."
    )
