"""What is in the folders of a split: each picture with the class folder that it lies in and the mask of its name."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.sources.files import layout
from pipelines.sources.files.entries import Entry
from pipelines.sources.folder.pairs import LOSSY, OF_IMAGES, OF_MASKS, Place, bare_images, is_mask, without

PREFERRED = ("labeltrainids", "labelids")  # of several masks of one picture, as converters of Cityscapes write them
OTHERS = re.compile(r".*_(color|colou?red|colou?r_mask|instance(train)?ids|polygons)", re.IGNORECASE)


def with_classes(tree: Tree, folder: str, classes: Iterable[str]) -> list[Entry]:
    """List the pictures in class folders, and those that lie loose beside them, which have no class."""
    known, entries = set(classes), []
    for name in layout.pictures_in(tree, folder):
        inner = name[len(folder) + 1 :] if folder else name
        label = inner.partition("/")[0] if "/" in inner else None
        if label is None or label in known:
            entries.append(_entry(tree, folder, name, label))
    return entries


def with_masks(tree: Tree, place: Place, account: Account) -> list[Entry]:
    """List the pictures of a split that has masks, with the class folders that they may lie in too.

    Args:
        tree: the files.
        place: where its images and masks are.
        account: told of each mask without an image and each image whose mask is another's too.
    """
    images, masks = (list(layout.pictures_in(tree, folder)) for folder in (place.images, place.masks))
    numbered: dict[str, str] = {}
    if place.images == place.masks:
        stems: dict[str, list[str]] = {}
        for name in images:
            stems.setdefault(name.rpartition("/")[0], []).append(_stem(name))
        bare = {folder: bare_images(own) for folder, own in stems.items()}
        masks = [name for name in images if is_mask(_stem(name), bare[name.rpartition("/")[0]])]
        numbered = {name: first for name in images if (first := _first_of(name, bare))}
        images = [name for name in images if name not in numbered]
    taken = set(masks)
    images = [name for name in images if name not in taken]
    found = _Masks(tree, place, masks, account)
    used: dict[str, str] = {}
    entries = []
    for name in images:
        mask = found.of(name)
        first = used.setdefault(mask, name) if mask else name
        if mask and first != name:
            account.lose(
                f"Images '{tree.path(first)}' and '{tree.path(name)}' share the mask '{tree.path(mask)}'.",
                tree.path(name),
            )
            continue
        inner = name[len(place.images) + 1 :] if place.images else name
        label = inner.partition("/")[0] if "/" in inner and place.images != place.masks else None
        entries.append(_entry(tree, place.images, name, label, mask))
    read = {os.path.splitext(name)[0]: name for name in used}
    rivals = {name: read[first] for name, first in numbered.items() if first in read}
    rivals |= {name: own for name, own in found.rivals.items() if name not in used}
    for name in (*masks, *numbered):
        if name not in used and name not in found.others and (name in rivals or not place.shared):
            _lose(name, rivals.get(name), tree, account)
    parted = {tree.path(own) for name, own in rivals.items() if not _is_preview(name, own)}
    return [replace(entry, mask=None) if entry.mask in parted else entry for entry in entries]


def _first_of(name: str, bare: Mapping[str, frozenset[str]]) -> str | None:
    """Return the mask of which a picture is one more, as a_mask of a_mask_1, without suffix; None if of none."""
    numbered = re.fullmatch(r"(.+)_\d+", os.path.splitext(name)[0])
    if numbered and is_mask(numbered[1].rpartition("/")[2], bare[name.rpartition("/")[0]]):
        return numbered[1]
    return None


def _lose(name: str, own: str | None, tree: Tree, account: Account) -> None:
    """Note that a mask is no image's, or beside another, `own`, which cannot be used either: each has a part."""
    if own is None:
        account.lose(f"Mask '{tree.path(name)}' has no image of its name.", tree.path(name))
    elif _is_preview(name, own):
        account.lose(f"Mask '{tree.path(name)}' has the name of '{Path(own).name}', which is read.", tree.path(name))
    else:
        message = (
            f"Masks '{tree.path(own)}' and '{tree.path(name)}' are both of one image, which has one mask: draw them "
            "into one, or move one away."
        )
        account.lose(message, tree.path(name))
        account.note_loss(message, tree.path(own))


def _is_preview(name: str, own: str) -> bool:
    """Whether a mask is another one's drawing to look at, as a.jpg beside a.png."""
    lossy = [each.lower().endswith(LOSSY) for each in (name, own)]
    return lossy == [True, False] and _stem(name) == _stem(own)


class _Masks:
    """The masks of a folder by what may name their image: its path, its name, or either without what marks a mask.

    `rivals` are those that are not taken, each with the one that is.
    """

    def __init__(self, tree: Tree, place: Place, names: Iterable[str], account: Account):
        self.place, self.others, self.rivals = place, set[str](), dict[str, str]()
        self.paths: dict[str, list[str]] = {}
        self.stems: dict[str, list[str]] = {}
        for name in names:
            if OTHERS.fullmatch(_stem(name)):
                self.others.add(name)
                account.leave(tree.path(name), "a drawing of the mask, or its instances, beside the mask")
                continue
            inner = os.path.splitext(name[len(place.masks) + 1 :] if place.masks else name)[0]
            lead, _, stem = inner.rpartition("/")
            for key in {stem, without(OF_MASKS, stem)}:
                self.paths.setdefault(f"{lead}/{key}".lower(), []).append(name)
                self.stems.setdefault(key.lower(), []).append(name)
        for several in self.paths.values():
            self._prefer(several, tree, account)

    def _prefer(self, several: list[str], tree: Tree, account: Account) -> None:
        """Of the masks of one image, set aside those in numbers that another has as training ids."""
        for kind in PREFERRED:
            best = [name for name in several if name.lower().rpartition("_")[2].startswith(kind)]
            if len(best) == 1 and len(several) > 1:
                for name in several:
                    if name not in best and any(mark in name.lower() for mark in PREFERRED):
                        self.others.add(name)
                        account.leave(tree.path(name), "the same mask in other numbers")
                return

    def of(self, image: str) -> str | None:
        """Return the mask of an image."""
        inner = os.path.splitext(image[len(self.place.images) + 1 :] if self.place.images else image)[0]
        lead, _, stem = inner.rpartition("/")
        keys = [stem, without(OF_IMAGES, stem)]
        for table, start in ((self.paths, f"{lead}/"), (self.stems, "")):
            for key in keys:
                names = [n for n in table.get(f"{start}{key}".lower(), ()) if n not in self.others and n != image]
                if names:
                    own = min(names, key=lambda n: (_stem(n).lower() != stem.lower(), n[-4:].lower() != ".png", n))
                    self.rivals |= {name: own for name in names if name != own}
                    return own
        return None


def _stem(name: str) -> str:
    return os.path.splitext(name.rpartition("/")[2])[0]


def _entry(tree: Tree, folder: str, name: str, label: str | None, mask: str | None = None) -> Entry:
    index: Path = tree.path(folder) / label if label else tree.path(folder)
    return Entry(
        tree.path(name), index, place="name of the folder", label=label, mask=tree.path(mask) if mask else None
    )
