"""Which names of folders say how a data set lies, and never what is in its pictures."""

import re
from collections.abc import Iterable

from pipelines.accounts.tree import Tree, below
from pipelines.sources.files.layout import is_picture
from pipelines.splits import ALIASES, split_named, split_within

PARTS = re.compile(
    r"images?|imgs?|jpegimages|pngimages|pictures?|photos?|pics|frames|jpe?gs?|pngs?|raw|inputs?|rgb|labels?|targets?"
    r"|annotations?|annots?|masks?|trimaps?|gt|ground[ _-]?truths?|data|datasets?|img_dir|ann_dir|leftimg8bit"
    r"|gt(fine|coarse)|obj_.*|imagesets|segmentation(class|object)(raw|aug)?|voc\w*|(train|val|test)(val)?\d+|default"
    r"|(train|training|val|valid|validation|test|testing)_?(images?|imgs?|masks?|labels?|annot(ation)?s?|gt)"
    r"|\w+annot|\w*_stillsraw_full|labeledapproved_full",
    re.IGNORECASE,
)
SPLIT = re.compile(  # a longer name of a split, as "seg_train" and "training_set"
    rf"(?:\w+[_-])?({'|'.join(sorted(sum(ALIASES.values(), ()), key=len, reverse=True))})"
    r"(?:[ _-]?(?:sets?|data|datasets?|splits?|images?|imgs?))?",
    re.IGNORECASE,
)
BESIDE = re.compile(r"docs?|documentation|figures|assets|screenshots|runs|logs|notebooks|src", re.IGNORECASE)


def is_part(name: str) -> bool:
    """Whether a folder of this name is a part of a layout, as "images" or "train_masks", and no class."""
    return PARTS.fullmatch(name) is not None or BESIDE.fullmatch(name) is not None


def split_meant(name: str) -> str | None:
    """Return the split that a folder of class folders is by its name, or by a longer one; None if by neither.

    Example:
        >>> split_meant("Train"), split_meant("seg_test"), split_meant("training_set"), split_meant("trains")
        ('train', 'test', 'train', None)
    """
    known = SPLIT.fullmatch(name)
    return split_named(known[1]) if known else None


def split_in(name: str) -> str | None:
    """Return the split that a word in the name of a folder is, be it written as one with the next; None if none is.

    Example:
        >>> split_in("trainA"), split_in("dogs_test"), split_in("Val-cats"), split_in("trains")
        ('train', 'test', 'validation', None)
    """
    return split_within(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))


def holds_parts(tree: Tree, folder: str, full: Iterable[str]) -> bool:
    """Whether a folder has those of splits in it, or parts of a layout, and so is a data set and no class."""
    names = [name for name in tree.inner(folder) if below(folder, name) in full]
    return any(split_named(name) or PARTS.fullmatch(name) for name in names)


def pictures(tree: Tree, folder: str) -> list[str]:
    """Return the names of the pictures directly in a folder."""
    return [name for name in tree.folders.get(folder, ()) if is_picture(name)]


def filled(tree: Tree) -> frozenset[str]:
    """Return the folders with pictures, directly or beneath; "" is the root."""
    found: set[str] = set()
    for folder in tree.folders:
        if pictures(tree, folder):
            parts = folder.split("/") if folder else []
            found.update("/".join(parts[:count]) for count in range(len(parts) + 1))
    return frozenset(found)


def base(tree: Tree, full: Iterable[str]) -> str:
    """Return the folder in which a data set lies: the root, or the only folder with pictures in it, and so on.

    What documents have, as docs/, does not count.

    Args:
        tree: the files.
        full: its folders with pictures, of `filled`.
    """
    full, place = set(full), ""
    while not pictures(tree, place):
        names = [name for name in tree.inner(place) if not BESIDE.fullmatch(name)]
        inner = [below(place, name) for name in names if below(place, name) in full]
        name = inner[0].rpartition("/")[2] if len(inner) == 1 else ""
        if not name or split_named(name) or pictures(tree, inner[0]):
            break
        place = inner[0]
    return place
