"""The image and mask files of a split, their headers checked against what the index says."""

import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.errors import DataError
from pipelines.pixels import masks, pictures
from pipelines.pixels.headers import Header, Trait
from pipelines.pixels.rules import Reading
from pipelines.sources.files import orientation
from pipelines.sources.files.entries import CUT, HAIR, Annotation, Entry, corners, is_cut
from pipelines.sources.files.orientation import Orientation

UNSEEN = 1 - 1e-3  # pixels: a box under one, but for rounding
STRETCH = 128  # files that a thread takes at once: to hand over one costs as much as to read its header


@dataclass(frozen=True)
class Item:
    """One image that is there: its labels, and how its files are decoded.

    Attributes:
        entry: what the index says.
        shape: height and width in pixels, as the annotations mean them.
        slow: Pillow must decode the image.
        turn: the image is turned upright by its EXIF orientation.
        jpeg: the image can be decoded smaller.
        objects: those of the entry, in pixels and within the image; None where they are not known.
        mask: the mask file, or None, and how many channels it has.
        slow_mask: Pillow must decode it, as numbers; `slow_image_mask`: as a picture.
        traits: what is left out or scaled as the image is decoded, as of its header.
        orientation: how it is read and why, if it has an EXIF orientation.
    """

    entry: Entry
    shape: tuple[int, int]
    slow: bool
    turn: bool
    objects: list[Annotation] | None
    jpeg: bool = False
    mask: Path | None = None
    mask_bands: int = 1
    slow_mask: bool = False
    slow_image_mask: bool = False
    traits: frozenset[Trait] = frozenset()
    orientation: Orientation | None = None

    @property
    def image(self) -> Path:
        """The image file."""
        return self.entry.image

    @property
    def annotations(self) -> int:
        """How many annotations of the index are lost with the image: those that were not lost before."""
        return len(self.objects or ()) + self.entry.bare

    @property
    def presence(self) -> Mapping[str, float] | None:
        """Which classes the index says the image has."""
        return self.entry.presence


def read_items(entries: list[Entry], with_masks: bool, markers: bool, account: Account, reading: Reading) -> list[Item]:
    """Read the headers of all files of a split.

    Args:
        entries: the images of the index.
        with_masks: whether masks are needed.
        markers: whether to look for the end markers of the files too.
        account: told of each image and box that cannot be used, which is left out.
        reading: how the images are read.
    """

    def item(entry: Entry) -> tuple[Entry, Item | None, list[str], int]:
        try:
            return entry, *_item(entry, with_masks, markers, reading)
        except DataError as error:
            return entry, None, [str(error)], 0

    items = []
    stretches = [entries[start : start + STRETCH] for start in range(0, len(entries), STRETCH)]
    with ThreadPoolExecutor() as pool:
        for stretch in pool.map(lambda some: [item(entry) for entry in some], stretches):
            for entry, found, wrong, cut in stretch:
                if found:
                    items.append(found)
                    if cut:
                        account.alter(CUT, cut)
                    for message in wrong:
                        account.lose(message, annotations=1)
                else:
                    _lose(entry, wrong[0], account)
    _tell_small(items)
    _tell_emptied(items)
    return items


def _tell_small(items: list[Item]) -> None:
    """Warn of boxes under one pixel, which nobody drew: their numbers may mean something else."""
    small = [(item, box) for item in items for box in item.objects or () if not _is_seen(box)]
    if small:
        item, first = small[0]
        count = f"{len(small)} boxes are" if len(small) > 1 else "1 box is"
        text = (
            f"{count} under one pixel wide or high, the first in {item.entry.at(first.number)} ('{item.image.name}')."
        )
        warnings.warn(text, stacklevel=4)


def _tell_emptied(items: list[Item]) -> None:
    """Warn of images that are not labelled, as nothing of what is drawn in them can be used."""
    emptied = [item for item in items if item.entry.lost and item.objects is None]
    if emptied:
        which = f"{len(emptied)} images have" if len(emptied) > 1 else "1 image has"
        warnings.warn(
            f"{which} no object left, as what was drawn there cannot be used (the first: '{emptied[0].image}'): not "
            "labelled for what objects tell, rather than background.",
            stacklevel=4,
        )


def _is_seen(annotation: Annotation) -> bool:
    x_min, y_min, x_max, y_max = annotation.box
    return x_max - x_min >= UNSEEN and y_max - y_min >= UNSEEN


def settle(items: Mapping[str, list[Item]], with_masks: bool, reading: Reading) -> dict[str, list[Item]]:
    """Read images whose labels do not tell which way round they were drawn on as the others of the set tell.

    Args:
        items: of all splits; the other arguments are those of `read_items`.
    """
    found = [item.orientation for known in items.values() for item in known if item.orientation]
    upright = orientation.agreed(found)
    if upright is None:
        return dict(items)
    settled = replace(reading, exif="upright" if upright else "stored")

    def again(item: Item) -> Item:
        if item.orientation is None or item.orientation.by != "nothing":
            return item
        read = item if upright else _item(item.entry, with_masks, False, settled)[0]  # what is wrong was told before
        return replace(read, orientation=Orientation(upright, "others"))

    return {split: [again(item) for item in known] for split, known in items.items()}


def _lose(entry: Entry, message: str, account: Account) -> None:
    """Report an image that cannot be used, and what is lost with it."""
    account.lose(message, entry.image, entry.annotations)
    for file in (entry.mask, entry.index):  # where others use the index too, that they do is noted later
        if file and file.is_file():
            account.note_loss(message, file)


def _item(entry: Entry, with_masks: bool, markers: bool, reading: Reading) -> tuple[Item, list[str], int]:
    header = pictures.inspect(entry.image, markers, reading.max_pixels)
    file = entry.mask if with_masks else None
    mask = pictures.inspect(file, markers, reading.max_pixels) if file else None
    way = orientation.decide(header, entry, (mask.height, mask.width) if mask else None, reading.exif)
    turn = way is not None and way.upright
    shape = header.upright if turn else (header.height, header.width)
    if entry.size not in (None, shape):
        height, width = entry.size
        by_option = f" (the option exif is {reading.exif})" if way and way.by == "option" else ""
        raise DataError(
            f"Image '{entry.image}' is {shape[1]} x {shape[0]}, but '{entry.index}' gives width {width} and "
            f"height {height}{by_option}."
        )
    objects, wrong, cut = entry.objects, list[str](), 0
    if objects and entry.size is None:
        objects, wrong, cut = _clipped(entry, shape)
    if objects == [] and (entry.lost or wrong):
        objects, entry = None, replace(entry, objects=None, lost=True)
    slow = turn or not header.fast
    item = Item(entry, shape, slow, turn, objects, header.jpeg and not slow, traits=header.traits, orientation=way)
    if file and mask:
        item = _with_mask(item, file, mask)
    return item, wrong, cut


def _clipped(entry: Entry, shape: tuple[int, int]) -> tuple[list[Annotation], list[str], int]:
    """Clip the boxes of an image whose size the index does not give.

    Returns:
        The objects, what is wrong with the others, and how many boxes were cut.
    """
    objects, wrong, cut = [], [], 0
    for annotation in entry.objects or []:
        if entry.relative:
            annotation = _scaled(annotation, shape)
        try:
            box = corners(annotation.box, shape, HAIR if entry.relative else 0.0)
            objects.append(replace(annotation, box=box))
            cut += is_cut(box, annotation.box)
        except ValueError as error:
            wrong.append(f"{entry.at(annotation.number)}: {error} ('{entry.image.name}').")
    return objects, wrong, cut


def _scaled(annotation: Annotation, shape: tuple[int, int]) -> Annotation:
    """Turn fractions of an image into pixels."""
    height, width = shape
    x_min, y_min, x_max, y_max = annotation.box
    box = (x_min * width, y_min * height, x_max * width, y_max * height)
    outline = annotation.segmentation
    if isinstance(outline, list):
        outline = [[value * (height if i % 2 else width) for i, value in enumerate(points)] for points in outline]
    return replace(annotation, box=box, segmentation=outline)


def _with_mask(item: Item, path: Path, header: Header) -> Item:
    """Check the header of a mask, and return the item with it."""
    if (header.height, header.width) != item.shape:
        height, width = item.shape
        raise DataError(
            f"Mask '{path}' is {header.width} x {header.height}, but image '{item.image}' is {width} x {height}."
        )
    masks.check(path, header)
    slow, slow_image = not header.plain_grey, not header.fast
    return replace(item, mask=path, mask_bands=header.bands, slow_mask=slow, slow_image_mask=slow_image)
