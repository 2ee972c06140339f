"""Where images and their masks lie: in two folders, in two for each split, or side by side."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipelines.accounts.tree import Tree, below
from pipelines.errors import DataError
from pipelines.sources.folder.structure import base, filled, pictures
from pipelines.splits import SPLITS, split_named

# Names of a folder of images, and of the folder of its masks beside it
TOGETHER = (
    (
        r"images?|imgs?|pictures?|photos?|inputs?|rgb|originals?|raw|frames",
        r"masks?|labels?|annotations?|annots?|gt|ground[ _-]?truths?|targets?|(1st_)?manual1?",
    ),
    (r"img_dir", r"ann_dir"),
    (r"\w*stillsraw_full", r"labeledapproved_full|\w*labels_full"),
)
MASKS = r"_?(masks?|labels?|annot(ation)?s?|gt)"  # after the name of a split, of CamVid's and Carvana's folders
IMAGES = r"(_?(images?|imgs?))?"
OF_MASKS = (  # ends of the name of a mask, longer ones first, that the name of its image has not
    *("_gtfine_labeltrainids", "_gtcoarse_labeltrainids", "_gtfine_labelids", "_gtcoarse_labelids", "_labeltrainids"),
    *("_segmentations", "_segmentation", "_annotation", "_labelids", "_trimap", "_labels", "_label", "_masks", "_mask"),
    *("_manual1", "_manual", "_seg", "_gt", "_l"),
)
BESIDE = OF_MASKS[:-1]  # "_l" alone may mean anything, as large
LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp")
OF_IMAGES = ("_leftimg8bit", "_training", "_image", "_test", "_sat", "_img", "_rgb")


@dataclass(frozen=True)
class Place:
    """Where the images and the masks of a split are, relative to the root; one folder, if masks lie beside images.

    Attributes:
        images: the folder of the images.
        masks: the folder of the masks.
        shared: other splits have theirs in the same folder.
    """

    images: str
    masks: str
    shared: bool = False


@dataclass(frozen=True)
class Pairs:
    """Where images and masks are: `splits` by split, "" being that of data without; `base`, where the data set lies."""

    base: str
    splits: dict[str, Place] = field(default_factory=dict)


def find(tree: Tree) -> Pairs | None:
    """Return where images and masks are, or None where there are none.

    Raises:
        DataError: two folders are the same split.
    """
    full = filled(tree)
    place = base(tree, full)
    for look in (_split_folders, _split_inside, _named_splits):
        splits: dict[str, Place] = {}
        for split, own in look(tree, place, full):
            if splits.setdefault(split, own) != own:
                first, second = tree.path(splits[split].images), tree.path(own.images)
                raise DataError(f"'{first}' and '{second}' both are split '{split}': join them, or rename one.")
        if splits:
            return Pairs(place, {split: splits[split] for split in SPLITS if split in splits})
    whole = _together(tree, place, full) or _beside(tree, place)
    return Pairs(place, {"": whole}) if whole else None


def apart(tree: Tree, found: Pairs) -> list[str]:
    """Return the folders that images lie in, if no two splits have one in common, as the towns of Cityscapes.

    Args:
        tree: the files.
        found: where images and masks are.

    Returns:
        Their names, sorted; none if splits have one in common, as they have of classes, or fewer than two splits any.
    """
    full = filled(tree)
    inner = [
        [name for name in tree.inner(place.images) if below(place.images, name) in full]
        for place in found.splits.values()
        if place.images != place.masks
    ]
    names = sorted(name for own in inner for name in own)
    return names if sum(map(bool, inner)) > 1 and len(set(names)) == len(names) else []


def _together(tree: Tree, place: str, full: frozenset[str]) -> Place | None:
    """Two folders in one, as images/ and masks/.

    Raises:
        DataError: two folders may have the masks, as 1st_manual/ (vessels) and mask/ (what is in view) in DRIVE.
    """
    names = [name for name in tree.inner(place) if below(place, name) in full]
    for images, masks in TOGETHER:
        first = next((name for name in names if re.fullmatch(images, name, re.IGNORECASE)), None)
        drawn = [name for name in names if re.fullmatch(masks, name, re.IGNORECASE)]
        if first and len(drawn) > 1:
            raise DataError(
                f"'{tree.path(below(place, drawn[0]))}' and '{drawn[1]}' beside it may both hold the masks of "
                f"'{first}': leave the one that is to be learnt there, and move the other away."
            )
        if first and drawn:
            return Place(below(place, first), below(place, drawn[0]))
    cvat = next((name for name in names if f"{name}annot" in names and not split_named(name)), None)
    return Place(below(place, cvat), below(place, f"{cvat}annot")) if cvat else None


def _split_folders(tree: Tree, place: str, full: frozenset[str]) -> Iterator[tuple[str, Place]]:
    """train/images/ and train/masks/; or the masks in train/ beside the images. A split may have no mask at all."""
    named = [(split, below(place, name)) for name in tree.inner(place) if (split := split_named(name))]
    found = {folder: _together(tree, folder, full) or _beside(tree, folder) for _, folder in named}
    for like, model in ((folder, own) for folder, own in found.items() if own):
        for split, folder in named:
            images, masks = (folder + path[len(like) :] for path in (model.images, model.masks))
            if own := found[folder] or (Place(images, masks) if images in full else None):
                yield split, own
        return


def _split_inside(tree: Tree, place: str, full: frozenset[str]) -> Iterator[tuple[str, Place]]:
    """images/train/ and masks/train/."""
    whole = _together(tree, place, full)
    if not whole:
        return
    masks = {split_named(name): below(whole.masks, name) for name in tree.inner(whole.masks)}
    inner = [(split_named(name), below(whole.images, name)) for name in tree.inner(whole.images)]
    if any(split for split, _ in inner) and not pictures(tree, whole.images):
        for split, folder in inner:
            if split and folder in full:
                parted = any(masks)
                own = below(whole.masks, folder.rpartition("/")[2]) if parted else whole.masks
                yield split, Place(folder, masks.get(split, own), shared=not parted)


def _named_splits(tree: Tree, place: str, full: frozenset[str]) -> Iterator[tuple[str, Place]]:
    """train/ and trainannot/, train/ and train_masks/, or train_images/ and train_masks/."""
    names = [name for name in tree.inner(place) if below(place, name) in full]
    for name in names:
        match = re.fullmatch(rf"([a-z]+?){MASKS}", name, re.IGNORECASE)
        split = match and split_named(match[1])
        if not match or not split:
            continue
        pattern = re.compile(re.escape(match[1]) + IMAGES, re.IGNORECASE)
        images = next((other for other in names if other != name and pattern.fullmatch(other)), None)
        if images:
            yield split, Place(below(place, images), below(place, name))


def _beside(tree: Tree, place: str) -> Place | None:
    """Masks in the folder of their images, told by what their names have more, as a.jpg and a_mask.png."""
    for folder in tree.folders:
        if folder == place or folder.startswith(f"{place}/" if place else ""):
            names = [os.path.splitext(name) for name in pictures(tree, folder)]
            images = bare_images(stem for stem, _ in names)
            masks = sum(is_mask(stem, images) and suffix.lower() not in LOSSY for stem, suffix in names)
            if masks and 3 * masks >= len(names):  # and not a picture or two whose names happen to go together
                return Place(place, place)
    return None


def bare_images(stems: Iterable[str]) -> frozenset[str]:
    """Return what the masks of pictures of these stems may be called, without what marks them as masks."""
    stems = frozenset(stems)
    return stems | {without(OF_IMAGES, stem) for stem in stems}


def is_mask(stem: str, images: frozenset[str]) -> bool:
    """Whether a picture of this stem is the mask of another in its folder, whose `bare_images` are given."""
    bare = without(BESIDE, stem)
    return bare != stem and bare in images


def without(ends: tuple[str, ...], stem: str) -> str:
    """Return a stem without its end, if it is one of these in any case of letters.

    Example:
        >>> without(OF_MASKS, "tom_Mask")
        'tom'
    """
    lower = stem.lower()
    if not lower.endswith(ends):
        return stem
    return stem[: -len(next(end for end in ends if lower.endswith(end)))] or stem
