"""Folders that might be classes, but are pictures and their masks under names that nobody knows."""

import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from PIL import Image

from pipelines.accounts.tree import Tree, below
from pipelines.errors import DataError
from pipelines.sources.folder.pairs import OF_IMAGES, OF_MASKS, without
from pipelines.sources.folder.structure import pictures

MOST = 6  # folders that are compared: pictures and what is drawn of them have two or three, classes may be thousands
SHARED = 0.9  # of the names of the smaller folder that are in the other too
LOOKED_AT = 3  # pictures of each that are opened
FEW = 64  # colours that a mask may have; a photograph has more
MASK = re.compile(r"(?<![a-z])(masks?|labels?|gt|ground[ _-]?truths?|annotations?|seg(mentations?)?|semantic)(?![a-z])")


def refuse_masks(tree: Tree, place: str, classes: Sequence[str]) -> None:
    """Refuse class folders of which one has a mask for each picture of another.

    They have pictures of the same names, and by its name or by the few colours of its pictures one of them holds masks.

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
        named = [bool(MASK.search(name.lower())) for name in pair]
        drawn = [all(map(_is_drawn, (tree.path(stems[name][stem]) for stem in shared[:LOOKED_AT]))) for name in pair]
        mask = drawn.index(True) if sum(drawn) == 1 else named.index(True) if sum(named) == 1 else None
        if mask is not None:
            raise DataError(
                f"'{tree.path(below(place, pair[mask]))}' is like the masks of '{pair[1 - mask]}', whose pictures have "
                "the same names: if it is, call the folders masks/ and images/; if both are classes, name all classes "
                "in the option classes."
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
