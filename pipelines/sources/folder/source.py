"""The source "folder": its options, and what of its folders is what label."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.accounts.tree import Tree
from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import LabelSpec
from pipelines.sources import foreign
from pipelines.sources.base import option
from pipelines.sources.file_options import classes_option, divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.classes import agree, name_list
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.format import MaskFormat
from pipelines.sources.files.masks.declaring import declared
from pipelines.sources.files.split_lists import name_of
from pipelines.sources.folder import classes as class_folders
from pipelines.sources.folder import lists, naming, pairs
from pipelines.sources.folder.classes import ClassFolders
from pipelines.sources.folder.lone import lone
from pipelines.sources.folder.pairs import Pairs
from pipelines.sources.folder.places import with_classes, with_masks
from pipelines.sources.folder.structure import is_part
from pipelines.sources.folder.telling import (
    refuse_deeper_splits,
    refuse_splits,
    tell,
    tell_beside,
    tell_masks,
    tell_towns,
    unlabelled,
)
from pipelines.sources.folder.twins import refuse_exports, refuse_masks, refuse_versions
from pipelines.sources.layouts import Layout, Sign
from pipelines.splits import split_named

Found = dict[str, list[Entry]]


@dataclass(frozen=True)
class Folder(MaskFormat):
    """Pictures whose labels are where they lie: a folder per class, masks beside the images, or both.

    - A folder per class: `DIR/cats/tom.jpg`. Task "classification": one class an image. A
      folder that would be the only class is read where the source is named.
    - Masks: `DIR/images/tom.jpg` and `DIR/masks/tom.png` (TIFF, BMP, GIF too), of ids or colours. Task "segmentation".
    - Both: `DIR/images/cats/tom.jpg` and `DIR/masks/cats/tom.png` (or `DIR/masks/tom.png`). Folders that no two splits
      have in common, as of towns, are no classes.

    Each may lie in `DIR/{train,val,test}/` instead of DIR, the latter two in `DIR/images/train/` and `DIR/masks/train/`
    too; as ADE20K (`images/training/`, `annotations/training/`), mmsegmentation (`img_dir/`, `ann_dir/`), CamVid
    (`train/`, `trainannot/` or `train_labels/`), or with `tom_mask.png` beside `tom.jpg`, as Roboflow has it. Without
    such folders, `train.txt` and `test.txt` or `val.txt` that name the images are the splits. A picture in no class
    folder, or without a mask, is not labelled for that task; a mask without a picture is an error.

    The classes of masks are those of the options, of `mask_classes.json` (`{"classes": [...], "ignore": 255}`) in DIR
    or beside the masks, or of a palette there. What is not said of the masks' values is what they say themselves: 255
    is the second of two classes if they hold 0 and 255 alone, and else ignored.
    """

    layouts = (
        Layout(
            "class folders",
            "train/cats/*.jpg, train/dogs/*.jpg, val/cats/*.jpg, ..., or cats/*.jpg and dogs/*.jpg",
            (Sign("pictures in a folder per class", lambda tree: _has_classes(tree)),),
            doubt=lambda tree: _doubt(tree),
        ),
        Layout(
            "images and masks",
            "images/train/*.jpg and masks/train/*.png, train/images/ and train/masks/, images/ and masks/, or "
            "train/a.jpg and train/a_mask.png",
            (Sign("pictures with a mask for each", lambda tree: _pairs(tree) is not None),),
        ),
    )

    classes: Iterable[str] | None = classes_option("the class folders")
    mask_classes: Iterable[str] | None = option(
        None, "the class names of the masks, in place of mask_classes.json or a palette"
    )
    divide: bool | None = divide_option()

    def read(self, request: Request) -> Source:
        """Find the pictures and masks of each split, and assemble them."""
        root = layout.folder(request.path, "folder", "with a folder per class, or images/ and masks/, in it")
        tree = request.files
        masked = pairs.find(tree)
        there: list[labels.Label] = []
        if masked:
            entries = self._masked(root, masked, request)
            names = None
        else:
            found = class_folders.find(tree)
            if found is None:
                raise DataError(_refusal(root, tree))
            entries, names = self._classified(root, found, request)
        if masked:
            entries = self._with_classes(masked, entries, request)
        if any(entry.label for own in entries.values() for entry in own):
            chosen = name_list(self.classes, "classes") if self.classes is not None else names
            known, entries = agree(entries, chosen, request.account)
            there.append(labels.OneClass(LabelSpec("classification", "classification", known)))
            if request.wants("classification"):
                tell(entries, known, masked is not None and request.tasks is None)
        if masked and any(entry.mask for own in entries.values() for entry in own):
            there += self._mask_label(root, masked, entries, request)
            if request.wants("segmentation"):
                tell_masks(entries)
        if not there:
            raise DataError((masked and _no_pair(tree, masked)) or _refusal(root, tree) + request.problems.first)
        return self.assembled(request, entries, there)

    def _masked(self, root: Path, found: Pairs, request: Request) -> Found:
        """List the images of each split that have masks."""
        _tell_base(root, found.base)
        places = {split: (request.files.path(own.images), own) for split, own in found.splits.items()}
        if "" in places:
            _, place = places[""]
            if self.divide is None:
                refuse_deeper_splits(request.files, place.images)
            entries = with_masks(request.files, place, request.account)
            return self._divided(root, request.files.path(place.images), entries, request)
        asked = layout.asked(root, {split: folder for split, (folder, _) in places.items()}, request)
        for split, (_, place) in places.items():
            if split not in asked:
                request.account.leave_below(request.files.path(place.masks), f"of split {split}, not asked for")
        return {split: with_masks(request.files, places[split][1], request.account) for split in asked}

    def _with_classes(self, found: Pairs, entries: Found, request: Request) -> Found:
        """Keep the folders of images with masks as classes, unless they are none, or the masks alone are asked for."""
        wanted = request.wants("classification")
        towns = pairs.apart(request.files, found) if self.classes is None else []
        if towns and wanted:
            tell_towns(towns)
        if not towns and (wanted or not request.wants("segmentation")):
            return entries
        return {split: [replace(entry, label=None) for entry in own] for split, own in entries.items()}

    def _classified(self, root: Path, found: ClassFolders, request: Request) -> tuple[Found, list[str]]:
        """List the images of each split that lie in class folders; return the classes of the first split too."""
        _tell_base(root, found.base)
        tree, given = request.files, None if self.classes is None else name_list(self.classes, "classes")
        doubtful = unlabelled(root, found, given, request)
        classes = dict(found.classes)
        for split, parts in found.parts.items():
            classes[split] += tuple(name for name in parts if name in (given or ()))
        if given is None:
            for split, place in found.splits.items():
                refuse_exports(tree, place, classes[split])
                refuse_splits(tree, place, classes[split])
                refuse_masks(tree, place, classes[split])
        names = sorted(next(iter(classes.values())))
        if "" in found.splits:
            names += doubtful
            entries = with_classes(tree, found.splits[""], names)
            return self._divided(root, tree.path(found.splits[""]), entries, request), sorted(names)
        tell_beside(tree, found)
        asked = layout.asked(root, {split: tree.path(folder) for split, folder in found.splits.items()}, request)
        return {split: with_classes(tree, found.splits[split], classes[split]) for split in asked}, names

    def _divided(self, root: Path, images: Path, entries: list[Entry], request: Request) -> Found:
        """Divide images without splits, by their paths from the folder that they lie in."""
        named = {name_of(entry.image, images): entry for entry in entries}
        if self.divide is None and request.lists is None:
            found = lists.find(request.files, images, named, request.account)
            if found:
                return self._listed(root, found, request)
        return layout.divided_entries(root, named, request, self.divide)

    def _listed(self, root: Path, found: dict[str, dict[str, Entry]], request: Request) -> Found:
        """Keep the images of the splits asked for, of those that lists name."""
        asked = layout.asked(root, found, request)
        for split, own in found.items():
            for entry in own.values() if split not in asked else ():
                for file in (entry.image, entry.mask):
                    if file:
                        request.account.leave(file, f"of split {split}, not asked for")
        return {split: list(own.values()) for split, own in asked.items()}

    def _mask_label(self, root: Path, found: Pairs, entries: Found, request: Request) -> list[labels.Label]:
        """Return the label of the masks; none where nobody asks for it and nothing names the classes."""
        tree = request.files
        known = naming.of_layout(tree, found, request.account)
        said = self.said._replace(classes=self.mask_classes)
        if known and said.offset is None and said.colours is None:
            said = said._replace(offset=known[1] or None)
        places = [root, tree.path(found.base), *layout.folders(tree.path(found.base)).values()]
        for place in found.splits.values():
            masks = tree.path(place.masks)
            places += [masks, masks.parent, tree.path(place.images).parent]
        inside = [place for place in dict.fromkeys(places) if place == root or root in place.parents]
        label = declared(root, inside, request.account, said, known and known[0])
        if label:
            return [label]
        if not request.wants("segmentation"):
            return []
        refuse_versions(entries)
        raise DataError(
            f"The classes of the masks in '{root}' have no names: write them to '{root / layout.CLASSES_FILE}' "
            'as {"classes": ["background", ...], "ignore": 255}, or set the option mask_classes, or mask_colours where '
            "each class has a colour."
        )


def _pairs(tree: Tree) -> Pairs | None:
    """Images with masks, for a sign: what cannot be read is told where it is read."""
    try:
        return pairs.find(tree)
    except DataError:
        return Pairs("")


def _has_classes(tree: Tree) -> bool:
    if _pairs(tree):
        return False
    try:
        return class_folders.find(tree) is not None
    except DataError:
        return True


def _no_pair(tree: Tree, masked: Pairs) -> str:
    """Say that there are masks, and none that is called as an image; "" where one is or there are none."""
    for place in masked.splits.values():
        images, masks = (list(layout.pictures_in(tree, folder)) for folder in (place.images, place.masks))
        if place.images != place.masks and images and masks:
            return (
                f"'{tree.path(place.masks)}' has {len(masks)} masks, of which none is called as an image of "
                f"'{tree.path(place.images)}' ('{Path(masks[0]).name}', but '{Path(images[0]).name}'): give each mask "
                "the name of its image, as masks/a.png of images/a.jpg; several of one image are drawn into one."
            )
    return ""


def _doubt(tree: Tree) -> str:
    """Say that class folders are the frames of videos, or one alone, as where a format not read has the labels."""
    single = lone(tree)
    known = foreign.told(tree) if single else foreign.told(tree, foreign.NO_CLASSES)
    return f"'{tree.root}' {known}" if known else single


def _tell_base(root: Path, base: str) -> None:
    if base and base != "images":
        warnings.warn(
            f"The data set in '{root}' is taken to lie in '{base}', the only folder with pictures.", stacklevel=4
        )


def _refusal(root: Path, tree: Tree) -> str:
    """Say that there are no labels, and which folders are parts of another layout."""
    names = tree.inner()
    parts = [name for name in names if is_part(name) or split_named(name)]
    told = (
        f": {', '.join(f'{name!r}' for name in parts[:6])} say how a data set lies and are no classes" if parts else ""
    )
    return f"Folder '{root}' has neither pictures in class folders nor masks in masks/*.png{told}."
