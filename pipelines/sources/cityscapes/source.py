"""The source "cityscapes": its options, and which of its files is what of an image."""

import os
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.pixels import pictures
from pipelines.sources.base import option
from pipelines.sources.cityscapes.instances import objects
from pipelines.sources.cityscapes.labels import IDS, LAST, THINGS, TRAIN
from pipelines.sources.files import labels, layout
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.format import FileFormat
from pipelines.sources.files.masks.meanings import NO_CLASS, Numbers
from pipelines.sources.layouts import Layout, has
from pipelines.splits import split_named

IMAGES = "leftimg8bit"
OF_IMAGES = re.compile(f"_{IMAGES}$", re.IGNORECASE)  # the end of an image's name
RULES = {  # of files beside the masks that are not read
    "polygons.json": "outlines: the masks drawn from them are read",
    "color.png": "a drawing of the mask",
    "labelids.png": "the same mask in other numbers",
    "labeltrainids.png": "the same mask in other numbers",
    "instanceids.png": "instances, not asked for",
    "instancetrainids.png": "the same instances in other numbers",
}
LOOKED_AT = 3  # masks of the test split, which is published without its labels


@dataclass(frozen=True)
class Cityscapes(FileFormat):
    """Cityscapes, as it is published: `leftImg8bit/` and `gtFine/`, each with a folder a split and a city.

    Tasks: "segmentation" of the 19 classes that are evaluated, from `*_labelIds.png` (or `*_labelTrainIds.png`), all
    others ignored; "detection" of the 8 classes with objects, from `*_instanceIds.png`: a group whose members nobody
    told apart is a region to ignore (class -2). The split test is published without labels, and left out.
    """

    layouts = (
        Layout(
            "Cityscapes",
            "leftImg8bit/train/aachen/*_leftImg8bit.png and gtFine/train/aachen/*_gtFine_labelIds.png",
            (
                has("**/leftImg8bit/*/*/*_leftImg8bit.*"),
                has("**/gtFine/*/*/*_gtFine_*.png", "**/gtCoarse/*/*/*_gtCoarse_*.png"),
            ),
        ),
    )

    annotations: str = option(
        "gtFine", "which annotations; with gtCoarse, train_extra belongs to train", ("gtFine", "gtCoarse")
    )

    def read(self, request: Request) -> Source:
        """Find the images of each split and what belongs to each, and read the objects."""
        root = layout.folder(request.path, "cityscapes", "with leftImg8bit/ and gtFine/ in it")
        tree, account = request.files, request.account
        images, truth = _folder(tree, root, IMAGES), _folder(tree, root, self.annotations)
        for other in ("gtFine", "gtCoarse"):
            for folder in tree.folders:
                if folder.rpartition("/")[2].lower() == other.lower() != self.annotations.lower():
                    account.leave_below(tree.path(folder), f"of {other}, not asked for")
        places = self._splits(tree, images, account)
        files = _Truth(tree, truth, request.wants("detection"), account)
        beside = {
            split: [*names, *(f"{truth}/{os.path.basename(name)}" for name in names)] for split, names in places.items()
        }
        asked = layout.asked(root, beside, request)
        for split in beside.keys() - asked.keys():
            for folder in beside[split]:
                account.leave_below(tree.path(folder), f"of split {split}, not asked for")
        entries: dict[str, list[Entry]] = {}
        for split, folders in asked.items():
            own = [entry for name in places[split] for entry in files.entries(name)]
            if split == "test" and not files.hold_a_class(own):
                _leave_out(request, tree, folders)
                continue
            if own and not any(entry.mask or entry.index.is_file() for entry in own):
                raise DataError(f"Split '{split}' has no labels: '{root / truth}' has none for its {len(own)} images.")
            entries[split] = files.with_objects(own) if files.boxes else own
        there: list[labels.Label] = [
            labels.MaskFiles(LabelSpec("segmentation", "segmentation", TRAIN), meaning=files.meaning)
        ]
        if files.instances:
            there.append(labels.Boxes(LabelSpec("detection", "detection", THINGS)))
        return self.assembled(request, entries, there)

    def _splits(self, tree: Tree, images: str, account: Account) -> dict[str, list[str]]:
        """The folders of images of each split."""
        found: dict[str, list[str]] = {}
        for name in tree.inner(images):
            split = split_named(name)
            if name.lower() == "train_extra":
                if self.annotations != "gtCoarse":
                    account.leave_below(tree.path(f"{images}/{name}"), "has coarse annotations alone, not asked for")
                    continue
                split = "train"
            if split:
                found.setdefault(split, []).append(f"{images}/{name}")
        return found


class _Truth:
    """The files of annotations by the image that they are of.

    Attributes:
        meaning: what the masks' numbers mean.
        instances: whether there are masks of instances.
    """

    def __init__(self, tree: Tree, folder: str, boxes: bool, account: Account):
        self.tree, self.folder, self.boxes, self.account = tree, folder, boxes, account
        self.files: dict[str, dict[str, str]] = {}
        pattern = re.compile(rf"(.+)_{re.escape(folder.rpartition('/')[2])}_(\w+\.\w+)", re.IGNORECASE)
        for name in tree.within(folder):
            match = pattern.fullmatch(name)
            if match:
                self.files.setdefault(match[1], {})[match[2].lower()] = name
        kinds = {kind for own in self.files.values() for kind in own}
        self.mask = "labelids.png" if "labelids.png" in kinds else "labeltrainids.png"
        self.instances = "instanceids.png" in kinds
        self.meaning = _meaning(self.mask)

    def entries(self, place: str) -> list[Entry]:
        """List the images in the folder of a split, with their masks and objects."""
        entries = []
        for name in layout.pictures_in(self.tree, place):
            inner = os.path.splitext(name)[0][len(place) + 1 :]
            key = OF_IMAGES.sub("", f"{self.folder}/{os.path.basename(place)}/{inner}")
            own = self.files.pop(key, {})
            mask, instances = own.pop(self.mask, None), own.pop("instanceids.png", None) if self.boxes else None
            for end, file in own.items():
                if end in RULES:
                    self.account.leave(self.tree.path(file), RULES[end])
            index = self.tree.path(instances or place)
            entries.append(
                Entry(self.tree.path(name), index, place="object {}", mask=self.tree.path(mask) if mask else None)
            )
        start = f"{self.folder}/{place.rpartition('/')[2]}/"
        for key in [key for key in self.files if key.startswith(start)]:
            for file in self.files.pop(key).values():
                self.account.lose(f"'{self.tree.path(file)}' has no image of its name.", self.tree.path(file))
        return entries

    def hold_a_class(self, entries: list[Entry]) -> bool:
        """Whether some of the first masks hold a class."""
        for mask in [entry.mask for entry in entries if entry.mask][:LOOKED_AT]:
            try:
                if (self.meaning.ids(np.unique(pictures.mask_values(mask))) < len(TRAIN)).any():
                    return True
            except (OSError, SyntaxError, ValueError):
                return True  # damaged: that is told where it is read
        return False

    def with_objects(self, entries: list[Entry]) -> list[Entry]:
        """Read the boxes of the objects, in parallel."""

        def read(entry: Entry) -> tuple[Entry, int, str | None]:
            if not entry.index.is_file():
                return entry, 0, None
            try:
                found, others = objects(pictures.mask_values(entry.index))
            except (OSError, SyntaxError, ValueError) as error:
                return entry, 0, f"'{entry.index}' cannot be read: {error}."
            return replace(entry, objects=found), others, None

        good = []
        with ThreadPoolExecutor() as pool:
            for entry, others, wrong in pool.map(read, entries):
                if wrong:
                    self.account.lose(wrong, entry.image)
                    self.account.note_loss(wrong, entry.index)
                    continue
                self.account.meet(len(entry.objects or ()) + others, "objects")
                if others:
                    self.account.leave_annotations("of a class that is not evaluated", others)
                good.append(entry)
        return good


def _meaning(mask: str) -> Numbers:
    """What the numbers of masks of label ids, or of training ids, mean."""
    table = np.full(256, NO_CLASS)
    table[IGNORE] = IGNORE
    if mask == "labelids.png":
        table[: LAST + 1] = IGNORE
        table[list(IDS)] = range(len(TRAIN))
        return Numbers(tuple(table.tolist()), f"a label id from 0 to {LAST}, or 255")
    table[: len(TRAIN)] = range(len(TRAIN))
    return Numbers(tuple(table.tolist()), f"a training id from 0 to {len(TRAIN) - 1}, or 255")


def _folder(tree: Tree, root: Path, name: str) -> str:
    """Return the folder of this name, in any case of letters, wherever it lies.

    Raises:
        DataError: there is none, or several.
    """
    found = [folder for folder in tree.folders if folder.rpartition("/")[2].lower() == name.lower()]
    if len(found) == 1:
        return found[0]
    several = " and ".join(f"'{tree.path(folder)}'" for folder in found)
    told = f"has several folders {name}/: {several}" if found else f"has no folder {name}/"
    raise DataError(f"'{root}' {told}: expected one leftImg8bit/ and one gtFine/ (or gtCoarse/), as Cityscapes has.")


def _leave_out(request: Request, tree: Tree, folders: list[str]) -> None:
    """Leave out the split test, which has no labels."""
    if request.one_alone:
        raise DataError(
            f"Split 'test' of '{request.path}' has no labels: Cityscapes publishes its pictures alone. Measure on val."
        )
    warnings.warn("Split 'test' is left out: Cityscapes publishes it without labels.", stacklevel=3)
    for folder in folders:
        request.account.leave_below(tree.path(folder), "of split test, published without labels")
