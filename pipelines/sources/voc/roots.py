"""Where in a folder a Pascal VOC data set lies: in it, in folders of the splits, or a few folders further down."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath

from pipelines.accounts.tree import Tree, below
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.voc.xml import is_annotation
from pipelines.splits import split_named

IMAGES = ("jpegimages", "images", "image", "imgs", "img")  # folders, the first of which there is; any case of letters
LABELS = ("annotations", "annotation", "xmls", "xml", "labels")
MASKS = ("segmentationclass", "segmentationclasspng", "segmentationclassraw", "segmentationclassaug")
SETS = "imagesets"
SNIFFED = 5  # XML files of a folder that are looked into


def is_there(tree: Tree) -> bool:
    """Whether a folder has Pascal VOC's XML in it, anywhere."""
    return next(annotated(tree), None) is not None


def has_masks(tree: Tree) -> bool:
    """Whether a folder has masks in `SegmentationClass/`, anywhere."""
    return any(
        _last(folder) in MASKS[:2] and any(name.lower().endswith(".png") for name in tree.within(folder))
        for folder in tree.folders
    )


def annotated(tree: Tree) -> Iterator[str]:
    """Yield the folders of a tree that have Pascal VOC's XML directly in them.

    One of the first files is of its form; or, in a folder `Annotations`, one is broken.
    """
    for folder, files in tree.folders.items():
        own = [file for file in files if file.lower().endswith(".xml")][:SNIFFED]
        paths = [tree.root / folder / file for file in own]
        named = "annotations" in folder.lower().split("/")
        if any(is_annotation(path) or (named and not os.path.getsize(path)) for path in paths):
            yield folder


def find(tree: Tree) -> dict[str | None, str]:
    """Return the folders of a tree that hold a data set, by split, or by None where it is one.

    Raises:
        DataError: there are several, as VOC2007 and VOC2012.
    """
    labelled = set(annotated(tree))
    tops = [_above(folder) for folder in tree.folders if _is_structure(tree, folder, labelled)]
    outer = [top for top in dict.fromkeys(tops) if not any(_within(top, other) for other in tops if other != top)]
    splits = _splits(tree, outer, labelled)
    if splits:
        return splits
    if len(outer) > 1:
        raise DataError(
            f"'{tree.root}' has {len(outer)} Pascal VOC data sets: {', '.join(outer)}. Give one of them as the path, "
            "or each as a source of its own in one recipe."
        )
    return {None: outer[0]} if outer else _flat(tree, labelled)


def _is_structure(tree: Tree, folder: str, labelled: set[str]) -> bool:
    """Whether a folder says by its name that a data set lies in the folder above it."""
    name = _last(folder)
    if name in ("annotations", "annotation"):
        return any(_within(own, folder) for own in labelled) or not any(tree.within(folder))
    return name in (*MASKS, SETS, "jpegimages")


def _splits(tree: Tree, outer: list[str], labelled: set[str]) -> dict[str | None, str]:
    """Return the folders named as splits, if all that hold data lie side by side in such."""
    if not outer or len({_above(top) for top in outer}) > 1 or not all(split_named(_last(top)) for top in outer):
        return {}
    return _named(tree, _above(outer[0]), labelled)


def _named(tree: Tree, place: str, labelled: set[str]) -> dict[str | None, str]:
    found: dict[str | None, str] = {}
    for name in tree.inner(place):
        folder, split = below(place, name), split_named(name)
        holds = any(_within(own, folder) for own in labelled) or any(layout.pictures_in(tree, folder))
        if split and holds:
            if split in found:
                raise DataError(f"'{found[split]}' and '{folder}' both are split '{split}': join them, or rename one.")
            found[split] = folder
    return found


def _flat(tree: Tree, labelled: set[str]) -> dict[str | None, str]:
    """Return where XML files lie whose folders have no names of Pascal VOC: beside the pictures, as a rule."""
    place = ""
    while place not in labelled:
        inner = [below(place, name) for name in tree.inner(place)]
        with_labels = [folder for folder in inner if any(_within(own, folder) for own in labelled)]
        if with_labels and all(split_named(_last(folder)) for folder in with_labels):
            return _named(tree, place, labelled)
        if len(with_labels) != 1 or not _holds_its_images(tree, with_labels[0]):
            break
        place = with_labels[0]
    return {None: place} if labelled else {}


def _holds_its_images(tree: Tree, folder: str) -> bool:
    """Whether a picture beneath a folder has the stem of an XML file there."""
    stems = partial(map, lambda name: PurePosixPath(name).stem)
    xmls = set(stems(name for name in tree.within(folder) if name.lower().endswith(".xml")))
    return any(stem in xmls for stem in stems(layout.pictures_in(tree, folder)))


def inner_named(tree: Tree, place: str, names: Iterable[str]) -> str | None:
    """Return the folder directly in another that has the first of these names, in any case of letters."""
    there = {name.lower(): below(place, name) for name in tree.inner(place)}
    return next((there[name] for name in names if name in there), None)


def has_its_name(folder: str) -> bool:
    """Whether a folder is named as that of Pascal VOC's XML, so that all XML in it is meant to be such."""
    return _last(folder) in LABELS[:3]


def is_named(folder: str, start: str) -> bool:
    """Whether the name of a folder begins so, in any case of letters."""
    return _last(folder).startswith(start)


def _last(folder: str) -> str:
    return folder.rpartition("/")[2].lower()


def _above(folder: str) -> str:
    return folder.rpartition("/")[0]


def _within(folder: str, outer: str) -> bool:
    return not outer or folder == outer or folder.startswith(f"{outer}/")
