"""Where the pictures of each split are: named by data.yaml or obj.data, listed, or told by the folders' names."""

import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree, below
from pipelines.contract import Request
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.yolo.layouts import PARTS, beside, homes
from pipelines.sources.yolo.lines import HEAD
from pipelines.sources.yolo.paths import OutsideError, Paths
from pipelines.sources.yolo.settings import Settings
from pipelines.splits import split_named

YEAR = re.compile(r"\d{4}$")  # of train2017
RESERVED = {"classes", "names", "backup"}  # keys of obj.data that are no subset
T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where pictures are.

    Attributes:
        name: of a folder or of a list, in the tree.
        where: who says so, as "'data.yaml': train".
        beside: the labels lie beside the pictures, so that a folder in it without any is no part of it.
    """

    name: str
    where: str = ""
    beside: bool = False


Places = dict[str, list[Place]]  # of each split


def split_of(name: str) -> str | None:
    """Return the split that a folder or list is named after, as "val2017"; or None."""
    return split_named(YEAR.sub("", name))


def by_settings(settings: Settings, paths: Paths, request: Request) -> Places:
    """Find the places that data.yaml names; a split that is named and absent is noted, if it can be left out.

    Raises:
        DataError: a place is missing, or out of the folder.
    """
    own = paths.folder_of(settings.path)
    bases = list(dict.fromkeys([own, ""]))
    elsewhere = os.path.join(settings.path.parent, settings.base)
    if settings.base and os.path.isdir(elsewhere) and not _within(elsewhere, paths.root):
        warnings.warn(
            f"'{settings.path}': path is '{settings.base}', which leads out of the folder '{paths.root}': what it "
            "names is looked for in the folder.",
            stacklevel=2,
        )
    found: Places = {}
    for split, (key, values) in settings.places.items():
        where = f"'{settings.path}': {key}"
        try:
            found[split] = [Place(_place(value, settings, paths, bases, where), where) for value in values]
        except OutsideError as error:
            raise DataError(str(error)) from None
        except DataError as error:
            if split in request.splits and (split == "train" or request.one_alone):
                raise
            if split in request.splits:
                warnings.warn(f"{str(error).rstrip('.')}: there is no split '{split}'.", stacklevel=2)
    return found


def _place(value: str, settings: Settings, paths: Paths, bases: list[str], where: str) -> str:
    absolute = value.startswith("/") or value[1:2] == ":"
    written = [f"{settings.base.rstrip('/')}/{value}", value] if settings.base and not absolute else [value]
    for each in written:
        try:
            return paths.find(each, bases)
        except OutsideError:
            climbs = ".." in value.lstrip("./") or os.path.exists(os.path.join(settings.path.parent, value))
            if each == value and climbs:  # Roboflow means train/images where it says ../train/images
                raise OutsideError(f"{where} is '{value}', which leads out of the folder '{paths.root}'.") from None
        except ValueError:
            pass
    if re.fullmatch(r"[\d.]+", value):
        raise DataError(f"{where} is {value}, expected a folder or a text file.")
    last = value.replace("\\", "/").strip("./")
    near = next((name for name in sorted(paths.there) if name.endswith(f"/{last}")), None)
    hint = f" It is at '{near}': write that." if near else ""
    raise DataError(f"{where} is '{value}', which is missing from '{paths.root}'.{hint}")


def _within(path: str, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def by_data_file(tree: Tree, paths: Paths, account: Account) -> Places | None:
    """Find the lists that `obj.data` names, a line each as `train = data/train.txt`; None where there is none.

    Raises:
        DataError: there are several, or a list is missing.
    """
    files = [tree.path(name) for home in homes(tree) for name in tree.like("*.data", home)]
    if not files:
        return None
    if len(files) > 1:
        raise DataError(f"'{files[0]}' and '{files[1]}' both say where the splits are: keep one.")
    path, found = files[0], dict[str, Place]()
    account.use(path, "splits")
    for line in layout.text(path).splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if equals and value and key.lower() not in RESERVED:
            where = f"'{path}': {key}"
            try:
                found[key] = Place(_list_of(value, path, paths), where)
            except ValueError:
                warnings.warn(f"{where} is '{value}', which is missing from '{tree.root}'.", stacklevel=2)
    return subsets(found, path, tree, account) if found else None


def _list_of(value: str, path: Path, paths: Paths) -> str:
    """Return the list that obj.data names, if need be the one of that name beside it.

    CVAT and Datumaro write data/train.txt for what lies beside obj.data, as Darknet looks for it from elsewhere.
    """
    own = paths.folder_of(path)
    try:
        return paths.find(value, [own, ""])
    except ValueError:
        return paths.find(os.path.basename(value.replace("\\", "/")), [own])


def subsets(found: dict[str, Place], where: Path, tree: Tree, account: Account) -> Places:
    """Return the splits among subsets of any name; where none is one, all are together, to be divided.

    Raises:
        DataError: two are the same split.
    """
    places: Places = {}
    for name, place in found.items():
        split = split_of(name)
        if split in places:
            raise DataError(f"'{where}': '{name}' and another both are split '{split}': join them, or rename one.")
        if split:
            places[split] = [place]
    others = [name for name in found if not split_of(name)]
    if not places:
        names = ", ".join(others)
        warnings.warn(f"'{where}': {names}: no split is called so: they are taken together, and divided.", stacklevel=2)
        return {"": list(found.values())}
    for name in others:
        leave = account.leave_below if found[name].name in tree.folders else account.leave
        leave(tree.path(found[name].name), f"of the subset {name}, which is no split")
    return places


def by_lists(tree: Tree) -> Places:
    """Find lists named as splits beside the data: `train.txt`, of lines that end as pictures do."""

    def lists(home: str) -> Places:
        found: Places = {}
        for name in tree.like("*.txt", home):
            split = split_of(os.path.basename(name)[:-4])
            if split and is_list(tree.path(name)):
                found.setdefault(split, []).append(Place(name, f"'{tree.path(name)}'"))
        return found

    return _of_one_home(tree, lists) or {}


def is_list(path: Path) -> bool:
    """Whether a text file begins with the name of a picture."""
    return layout.is_picture(layout.beginning(path, HEAD).lstrip().partition("\n")[0].strip())


def by_folders(tree: Tree, account: Account) -> Places:
    """Find the splits by the names of folders.

    Raises:
        DataError: they are there in two ways, or two are the same.
    """

    def folders(home: str) -> dict[str, dict[str, str]]:
        return {way: found for way, found in _ways(tree, home).items() if found}

    there = _of_one_home(tree, folders) or {}
    if len(there) > 1:
        shown = " and ".join(f"'{next(iter(found.values()))}'" for found in there.values())
        raise DataError(
            f"'{tree.root}' has splits in several ways, {shown}: keep one, or name the folders of train, val and test "
            "in data.yaml."
        )
    for found in there.values():
        return subsets({key: Place(name) for key, name in found.items()}, tree.root, tree, account)
    return {}


def _ways(tree: Tree, home: str) -> dict[str, dict[str, str]]:
    """Return the folders of splits in a home by how they lie."""
    inner, images = tree.inner(home), _images(tree, home)
    own = {name: _images(tree, below(home, name)) for name in inner if split_of(name)}
    parts = {name: PARTS.fullmatch(name) for name in inner}
    return {
        "images/train": {name: f"{images}/{name}" for name in tree.inner(images) if split_of(name)} if images else {},
        "train/images": {name: place for name, place in own.items() if place},
        "train": {
            name: folder
            for name, place in own.items()
            if not place and any(layout.pictures_in(tree, folder := below(home, name)))
        },
        "obj_train_data": {match[1]: below(home, name) for name, match in parts.items() if match},
    }


def whole(tree: Tree) -> list[Place]:
    """Find the pictures of a set without splits: in `images/`, or each beside a text file."""

    def images(home: str) -> list[Place]:
        place = _images(tree, home)
        return [Place(place)] if place and any(layout.pictures_in(tree, place)) else []

    found = _of_one_home(tree, images)
    if found:
        return found
    folders = dict.fromkeys(name.rpartition("/")[0] for name in beside(tree))
    outer = [folder for folder in folders if "" not in folders or not folder]
    return [Place(name, beside=True) for name in outer if not any(name.startswith(f"{other}/") for other in outer)]


def _of_one_home(tree: Tree, find: Callable[[str], T]) -> T | None:
    """Return what is found in the folder, or else in the only one in it where something is.

    Raises:
        DataError: something is in several.
    """
    own, *inner = homes(tree)
    found = find(own)
    if found:
        return found
    several = {home: found for home in inner if (found := find(home))}
    if len(several) > 1:
        first, second, *_ = several
        raise DataError(
            f"'{tree.root}' holds several data sets, in '{first}/' and '{second}/': give the folder of one."
        )
    return next(iter(several.values()), None)


def _images(tree: Tree, home: str) -> str | None:
    """Return the folder called images in a home."""
    return next((below(home, name) for name in tree.inner(home) if name.lower() == "images"), None)
