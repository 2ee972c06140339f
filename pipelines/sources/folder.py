"""The source "folder": pictures in a folder per class, pictures with a folder of PNG masks, or both."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.file_options import (
    check_option,
    classes_option,
    divide_option,
    ignore_option,
    mask_classes_option,
    mask_colours_option,
    mask_offset_option,
)
from pipelines.sources.files import labels, layout
from pipelines.sources.files.assembly import assemble
from pipelines.sources.files.classes import agree
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.format import FileFormat
from pipelines.sources.files.masks.declaring import Said, declared
from pipelines.sources.layouts import Layout, Sign, split_has
from pipelines.splits import split_named

STRUCTURE = re.compile(  # names of folders that say how a data set lies and never what is in its pictures
    r"images?|imgs?|jpegimages|labels?|annotations?|masks?|data|img_dir|ann_dir|leftimg8bit|gt(fine|coarse)|obj_.*"
    r"|imagesets|segmentation(class|object)(raw)?|voc\w*|(train|val|test)\d+",
    re.IGNORECASE,
)
Place = tuple[Path, Path]  # where the pictures and the masks of a split are


@dataclass(frozen=True)
class Folder(FileFormat):
    """Pictures whose labels are where they lie: a folder per class, masks beside the images, or both.

    - A folder per class: `DIR/cats/tom.jpg`. Task "classification": one class an image.
    - Masks: `DIR/images/tom.jpg` and `DIR/masks/tom.png` (TIFF, BMP or GIF too), of class ids. Task "segmentation".
    - Both: `DIR/images/cats/tom.jpg` and `DIR/masks/cats/tom.png` (or `DIR/masks/tom.png`).

    Each may lie in `DIR/{train,val,test}/` instead of DIR, the latter two in `DIR/images/train/` and `DIR/masks/train/`
    too. A picture in no class folder, or without a mask, is not labelled for that task; a mask without a picture is an
    error. The classes of masks are those of `mask_classes.json` (`{"classes": [...], "ignore": 255}`) in DIR or beside
    `masks/`.
    """

    layouts = (
        Layout(
            "class folders",
            "train/cats/*.jpg, train/dogs/*.jpg, val/cats/*.jpg, ..., or cats/*.jpg and dogs/*.jpg",
            (Sign("pictures in a folder per class", lambda tree: bool(class_folders(tree))),),
        ),
        Layout(
            "images and masks",
            "images/train/*.jpg and masks/train/*.png, train/images/ and train/masks/, or images/ and masks/",
            (split_has("images/**/*"), split_has("masks/**/*.png")),
        ),
    )

    classes: Iterable[str] | None = classes_option("the class folders")
    mask_classes: Iterable[str] | None = mask_classes_option()
    mask_colours: Mapping[str, Any] | None = mask_colours_option()
    mask_offset: int | None = mask_offset_option()
    ignore: int | str | Sequence[int] | None = ignore_option()
    divide: bool | None = divide_option()
    check: str = check_option()

    def read(self, request: Request) -> Source:
        """Find the pictures and masks of each split, and assemble them."""
        root = layout.folder(request.path, "folder", "with a folder per class, or images/ and masks/, in it")
        entries = _splits(root, self.divide, request)
        there: list[labels.Label] = []
        if any(entry.label for found in entries.values() for entry in found):
            known, entries = agree(entries, self.classes, request.account)
            there.append(labels.OneClass(LabelSpec("classification", "classification", known)))
        if any(entry.mask for found in entries.values() for entry in found):
            masks = declared(root, _mask_places(root), request.account, self._said())
            if masks is None and request.wants("segmentation"):
                raise DataError(
                    f"The classes of the masks in '{root}' have no names: write them to '{root / 'mask_classes.json'}' "
                    'as {"classes": ["background", ...], "ignore": 255}, or set the option mask_classes, or '
                    "mask_colours where each class has a colour."
                )
            if masks:
                there.append(masks)
        if not there:
            raise DataError(f"Folder '{root}' has neither pictures in class folders nor masks in masks/*.png.")
        return assemble(request, entries, there, self.check, self.pictures_as)

    def _said(self) -> Said:
        return Said(self.mask_classes, self.mask_colours, self.mask_offset, self.ignore)


def _mask_places(root: Path) -> list[Path]:
    """Return where names and colours of the classes of masks may lie."""
    places = layout.places(root)
    return [*places, *(place / "masks" for place in places)]


def class_folders(tree: Tree) -> list[str]:
    """Return the folders of a tree that are classes of the pictures in them, "train/cats" or "cats"."""
    found = []
    for folder, files in tree.folders.items():
        *above, name = folder.split("/")
        lead = [part for part in above if part != "images"]
        if (
            not name
            or split_named(name)
            or STRUCTURE.fullmatch(name)
            or len(lead) > 1
            or not all(map(split_named, lead))
        ):
            continue
        if any(os.path.splitext(file)[1].lower() in layout.PICTURES for file in files):
            found.append(folder)
    return found


def _splits(root: Path, divide: bool | None, request: Request) -> dict[str, list[Entry]]:
    """Find the splits and what is in them."""
    places = {name: _place(path) for name, path in split_folders(root).items()}
    if not places and (root / "images").is_dir():
        inner = split_folders(root / "images")
        places = {name: (path, root / "masks" / path.name) for name, path in inner.items()}
    if places:
        asked = layout.asked(root, places, request)
        return {name: _entries(place, request.account) for name, place in asked.items()}
    place = _place(root)
    entries = {entry.image.relative_to(place[0]).as_posix(): entry for entry in _entries(place, request.account)}
    return {split: list(own.values()) for split, own in layout.divided(root, entries, request, divide).items()}


def split_folders(root: Path) -> dict[str, Path]:
    """Return the folders of the splits, if there is nothing else in `root`: "train" may be a class beside others."""
    visible = [path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return layout.folders(root) if visible and all(map(split_named, visible)) else {}


def _place(root: Path) -> Place:
    images = root / "images"
    return images if images.is_dir() else root, root / "masks"


def _entries(place: Place, account: Account) -> list[Entry]:
    """List the pictures of one split with their class folders and masks."""
    images, masks = place
    files, unused = _masks(masks)
    entries = list[Entry]()
    stems: dict[str, Path] = {}
    inside, start = f"{masks}{os.sep}", len(str(images / "_")) - 1
    folders: dict[str, Path] = {}
    for path in layout.pictures_in(images):
        if str(path).startswith(inside):
            continue
        inner = str(path)[start:]  # in strings: a hundred thousand paths taken apart take seconds
        named = _mask_of(inner, files) if files else None
        if named:
            unused.pop(named, None)
            first = stems.setdefault(named, path)
            if first != path:
                account.lose(f"Images '{first}' and '{path}' share the mask '{files[named]}'.", path)
                continue
        label = inner.partition(os.sep)[0] if os.sep in inner else None
        if label and label not in folders:
            folders[label] = images / label
        index, mask = folders[label] if label else images, files[named] if named else None
        entries.append(Entry(path, index, place="name of the folder", label=label, mask=mask))
    for stem, path in unused.items():
        other = files.get(os.path.splitext(stem)[0]) if stem not in files else None
        reason = f"has the name of '{other.name}', which is read" if other else "has no image of its name"
        account.lose(f"Mask '{path}' {reason}.", path)
    return entries


def _masks(root: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return the masks in a folder by their paths in it without suffix, PNG before others; and all that there are."""
    found, others = dict[str, Path](), dict[str, Path]()
    for path in sorted(layout.pictures_in(root), key=lambda each: each.suffix.lower() != ".png"):
        stem = path.relative_to(root).with_suffix("").as_posix()
        if stem in found:
            others[path.relative_to(root).as_posix()] = path
        else:
            found[stem] = path
    return found, found | others


def _mask_of(image: str, files: Mapping[str, Path]) -> str | None:
    """Return the key among `files` of the mask of an image, both by their paths within their folders."""
    inner = Path(image)
    stem = inner.with_suffix("").as_posix()
    return next((name for name in (stem, inner.stem) if name in files), None)
