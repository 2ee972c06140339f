"""Where a folder has JSON files of labelme, which picture each is of, and to which split that belongs."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.labelme.page import Page, is_labelme, read_page
from pipelines.splits import split_named

SNIFFED = 5  # JSON files of a folder that are looked into


@dataclass(frozen=True)
class Sheet:
    """A picture and what its JSON file says; None where it has none."""

    image: Path
    name: str  # of the image in the folder, for the division
    json: Path | None = None
    page: Page | None = None
    split: str | None = None


@dataclass
class Pictures:
    """The pictures of a tree, found by what a JSON file calls them.

    Attributes:
        tree: that they are in.
        names: by path.
        beside: paths by what they are without their suffix.
        stems: names of those whose stem, or name, no other has, in lower case.
    """

    tree: Tree
    names: dict[str, str] = field(default_factory=dict)
    beside: dict[str, list[str]] = field(default_factory=dict)
    stems: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        exports = {folder for folder in self.tree.folders if is_export(self.tree, folder)}
        own = [
            name
            for name in layout.pictures_in(self.tree)
            if not exports & {str(above) for above in PurePosixPath(name).parents}
        ]
        self.names = {_normal(self.tree.root / name): name for name in own}
        for picture in self.names:
            self.beside.setdefault(os.path.splitext(picture)[0], []).append(picture)
        keys = Counter(key for name in own for key in _keys(name))
        self.stems = {key: name for name in own for key in _keys(name) if keys[key] == 1}

    def of(self, json: str, page: Page) -> Path | None:
        """Return the picture of a JSON file, or None.

        It is the one that imagePath names; else, as that may be of another machine, the one of the file's own stem
        beside it; else the only one in the folder of that name or stem.
        """
        path = self.tree.root / json
        if page.image and not _is_absolute(page.image):
            named = Path(_normal(path.parent / page.image))
            if str(named) in self.names or named.is_file():
                return named
        stem = os.path.splitext(path)[0]
        beside = self.beside.get(_normal(Path(stem)), [])
        if len(beside) == 1:
            return Path(beside[0])
        last = page.image.rpartition("/")[2].lower()
        for key in (last, os.path.splitext(last)[0], PurePosixPath(json).stem.lower()):
            if key in self.stems:
                return self.tree.root / self.stems[key]
        return None


def is_there(tree: Tree) -> bool:
    """Whether a folder has JSON of labelme in it, anywhere."""
    for folder, files in tree.folders.items():
        own = [file for file in files if file.lower().endswith(".json")][:SNIFFED]
        if any(is_labelme(tree.root / folder / file) for file in own):
            return True
    return False


def is_export(tree: Tree, folder: str) -> bool:
    """Whether a folder is one that labelme writes of a JSON file: the image, and its labels as a picture."""
    return folder.endswith("_json") and {"img.png", "label.png"} <= set(tree.folders[folder])


def read_sheets(tree: Tree, account: Account) -> list[Sheet]:
    """Read the JSON files of a tree, and find their pictures and those beside them that have none.

    Args:
        tree: the files.
        account: told of each file that is none, or has no picture.

    Raises:
        DataError: no file is JSON of labelme.
    """
    pictures, sheets, taken = Pictures(tree), list[Sheet](), dict[str, Path]()
    found = list(_files(tree, pictures))
    if not found:
        raise DataError(f"Folder '{tree.root}' has no JSON of labelme: expected files with 'shapes' and 'imagePath'.")
    for json in found:
        path = tree.root / json
        try:
            page = read_page(path)
            image = pictures.of(json, page)
            if image is None:
                raise DataError(_no_picture(path, page))
            if str(image) in taken:
                raise DataError(f"'{path}' and '{taken[str(image)]}' both are of image '{image}'.")
        except DataError as error:
            account.lose(str(error), path)
            for file in pictures.beside.get(os.path.splitext(_normal(path))[0], ()):
                if file not in taken:
                    account.note_loss(str(error), Path(file))
            continue
        taken[str(image)] = path
        name = pictures.names.get(_normal(image), json)
        sheets.append(Sheet(image, name, path, page, _split(name) or _split(json)))
    folders = {os.path.dirname(sheet.image) for sheet in sheets}
    homes = {_home(sheet.name) for sheet in sheets if sheet.split}
    for file, name in pictures.names.items():
        belongs = os.path.dirname(file) in folders or _home(name) in homes
        if file not in taken and belongs and not account.loss(Path(file)):
            sheets.append(Sheet(Path(file), name, split=_split(name)))
    for folder in tree.folders:
        if is_export(tree, folder):
            account.leave_below(tree.root / folder, "written by labelme of a JSON file, not read")
    return sheets


def _files(tree: Tree, pictures: Pictures) -> Iterator[str]:
    """Yield the JSON files that are labelme's, or that have the name of a picture beside them."""
    stems = {os.path.splitext(name)[0] for name in pictures.names.values()}
    for name in tree.names:
        stem, suffix = os.path.splitext(name)
        if suffix.lower() == ".json" and (stem in stems or is_labelme(tree.root / name)):
            yield name


def _no_picture(path: Path, page: Page) -> str:
    hint = ": its pixels are embedded as imageData; write them to that file" if page.embedded else ""
    return (
        f"'{path}' has no picture: imagePath is '{page.image}', which is not there, nor is one of its own name{hint}."
    )


def _split(name: str) -> str | None:
    return next((split for part in PurePosixPath(name).parts[:-1] if (split := split_named(part))), None)


def _home(name: str) -> str | None:
    """Return the folder in which the folder of a split lies that a picture is in; None where it is in none."""
    parts = PurePosixPath(name).parts[:-1]
    return next(("/".join(parts[:place]) for place, part in enumerate(parts) if split_named(part)), None)


def _keys(name: str) -> set[str]:
    path = PurePosixPath(name.lower())
    return {path.name, path.stem}


def _is_absolute(name: str) -> bool:
    return name.startswith("/") or name[1:2] == ":"


def _normal(path: Path) -> str:
    return os.path.normpath(path)
