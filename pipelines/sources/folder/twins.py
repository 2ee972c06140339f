"""Folders that might be classes, but are pictures and what is made of them: their masks, or other versions of them."""

import re
import warnings
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.accounts.tree import Tree, below
from pipelines.errors import DataError
from pipelines.pixels.likeness import is_near
from pipelines.sources.files.entries import Entry
from pipelines.sources.folder.pairs import OF_IMAGES, OF_MASKS, without
from pipelines.sources.folder.structure import pictures

MOST = 6  # folders that are compared: pictures and what is drawn of them have two or three, classes may be thousands
SHARED = 0.9  # of the names of the smaller folder that are in the other too
LOOKED_AT = 3  # pictures of each that are opened
FEW = 64  # colours that a mask may have; a photograph has more
EXPORT = {"img.png", "label.png"}  # of labelme before version 4
MASK = re.compile(r"(?<![a-z])(masks?|labels?|gt|ground[ _-]?truths?|annotations?|seg(mentations?)?|semantic)(?![a-z])")


def refuse_exports(tree: Tree, place: str, classes: Sequence[str]) -> None:
    """Refuse folders that are one picture each with its mask, as `labelme_json_to_dataset` writes them.

    Args:
        tree: the files.
        place: the folder in which those of the classes lie.
        classes: their names.

    Raises:
        DataError: a folder is so.
    """
    exports = [name for name in classes if {*pictures(tree, below(place, name))} >= EXPORT]
    if exports:
        raise DataError(
            f"'{tree.path(below(place, exports[0]))}' is no class: it is a picture, img.png, with its mask, label.png, "
            "as labelme_json_to_dataset of labelme writes one folder for each JSON file. Give the folder of these JSON "
            "files, or move each img.png to images/NAME.png and its label.png to masks/NAME.png; if these are classes, "
            "name all in the option classes."
        )


def refuse_masks(tree: Tree, place: str, classes: Sequence[str]) -> None:
    """Refuse class folders of which one has a mask for each picture of another, and warn of one that has its versions.

    They have pictures of the same names, and by its name or by the few colours of its pictures one of them holds masks;
    or the pictures look alike, as those of low and high light do.

    Args:
        tree: the files.
        place: the folder in which those of the classes lie.
        classes: their names.

    Raises:
        DataError: two are so.
    """
    if len(classes) > MOST:
        return
    stems = {name: _stems(tree, below(place, name)) for name in classes}
    for pair in combinations(classes, 2):
        shared = sorted(stems[pair[0]].keys() & stems[pair[1]].keys())
        if len(shared) < max(2, SHARED * min(len(stems[name]) for name in pair)):
            continue
        files = [(tree.path(stems[pair[0]][stem]), tree.path(stems[pair[1]][stem])) for stem in shared[:LOOKED_AT]]
        named = [bool(MASK.search(name.lower())) for name in pair]
        drawn = [all(map(_is_drawn, own)) for own in zip(*files, strict=True)]
        mask = drawn.index(True) if sum(drawn) == 1 else named.index(True) if sum(named) == 1 else None
        if mask is not None:
            raise DataError(
                f"'{tree.path(below(place, pair[mask]))}' is like the masks of '{pair[1 - mask]}', whose pictures have "
                "the same names: if it is, call the folders masks/ and images/; if both are classes, name all classes "
                "in the option classes."
            )
        if not any(drawn) and all(_are_alike(*both) for both in files):
            warnings.warn(
                f"'{tree.path(below(place, pair[0]))}' and '{pair[1]}' beside it hold the same pictures in two "
                "versions, read as two classes. There is no task that learns one from the other; if they are classes, "
                "keep both versions of a picture in one split (`visionmtl data split`).",
                stacklevel=4,
            )


def refuse_versions(entries: Mapping[str, Sequence[Entry]]) -> None:
    """Refuse masks without names of classes that are their images in another version, as where one is learnt from it.

    Raises:
        DataError: the first of a split are so.
    """
    for own in entries.values():
        first = [(entry.image, entry.mask) for entry in own if entry.mask][:LOOKED_AT]
        if first and all(_are_alike(image, mask) and not _is_drawn(mask) for image, mask in first):
            image, mask = first[0]
            raise DataError(
                f"'{mask}' is no mask, but another version of '{image}': there is no task that learns a picture "
                "from a picture. If they are masks, name their classes in the option mask_classes."
            )


def _stems(tree: Tree, folder: str) -> dict[str, str]:
    """The pictures of a folder by their names without suffix and without what marks an image or a mask."""
    return {
        without(OF_IMAGES, without(OF_MASKS, Path(name).stem)): below(folder, name) for name in pictures(tree, folder)
    }


def _is_drawn(path: Path) -> bool:
    """Whether a picture has few colours; one that cannot be read tells nothing here, and is told where it is read."""
    try:
        with Image.open(path) as picture:
            return picture.getcolors(FEW) is not None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _are_alike(first: Path, second: Path) -> bool:
    """Whether two pictures have one size and are nearly the same."""
    try:
        with Image.open(first) as one, Image.open(second) as other:
            return one.size == other.size and is_near(np.asarray(one.convert("RGB")), np.asarray(other.convert("RGB")))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
