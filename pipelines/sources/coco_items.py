"""The image and mask files of a COCO split, their headers checked against the JSON."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines import pictures
from pipelines.errors import DataError, Problems
from pipelines.sources.coco_index import Annotation, Entry, clip
from pipelines.sources.coco_layout import Folder


@dataclass(frozen=True)
class Item:
    """One image: its files, how they are decoded, and its objects.

    Attributes:
        shape: height and width in pixels, as the annotations mean them.
        slow: Pillow must decode the image.
        turn: the image is turned upright by its EXIF orientation.
        mask: a PNG file, or None; `slow_mask`: Pillow must decode it.
    """

    image: Path
    shape: tuple[int, int]
    slow: bool
    turn: bool
    annotations: list[Annotation]
    mask: Path | None = None
    slow_mask: bool = False


def read_items(entries: list[Entry], folder: Folder, with_masks: bool, markers: bool, problems: Problems) -> list[Item]:
    """Read the headers of all files of a split.

    Args:
        entries: images of the JSON.
        folder: where the files are.
        with_masks: whether masks are needed, if the folder has any.
        markers: whether to look for the end markers of the files too.
        problems: told of each image that cannot be used, which is left out.
    """

    def item(entry: Entry) -> Item | str:
        try:
            return _item(entry, folder, with_masks, markers, problems)
        except DataError as error:
            return str(error)

    items = []
    with ThreadPoolExecutor() as pool:
        for result in pool.map(item, entries):
            if isinstance(result, Item):
                items.append(result)
            else:
                problems.report(result)
    return items


def _item(entry: Entry, folder: Folder, with_masks: bool, markers: bool, problems: Problems) -> Item:
    path = folder.images / entry.file_name
    header = pictures.inspect(path, markers)
    stored = (header.height, header.width)
    turn = header.orientation > 1 and entry.size in (None, header.upright)
    shape = header.upright if turn else stored
    if entry.size not in (None, shape):
        height, width = entry.size
        raise DataError(
            f"Image '{path}' is {header.width} x {header.height}, but '{folder.annotations}' gives width {width} and "
            f"height {height}."
        )
    item = Item(path, shape, turn or not header.fast, turn, entry.annotations)
    if entry.size is None:
        item = replace(item, annotations=_clipped(entry, shape, folder, problems))
    if with_masks and folder.masks:
        mask = folder.masks / Path(entry.file_name).with_suffix(".png")
        item = replace(item, mask=mask, slow_mask=_inspect_mask(mask, item, markers))
    return item


def _clipped(entry: Entry, shape: tuple[int, int], folder: Folder, problems: Problems) -> list[Annotation]:
    """Clip the boxes of an image whose size the JSON does not give."""
    annotations = []
    for annotation in entry.annotations:
        try:
            annotations.append(replace(annotation, box=clip(annotation.box, shape, entry.file_name)))
        except ValueError as error:
            problems.report(f"'{folder.annotations}': {error}.")
    return annotations


def _inspect_mask(path: Path, item: Item, markers: bool) -> bool:
    """Check the header of a mask; return whether Pillow must decode it."""
    header = pictures.inspect(path, markers)
    if (header.height, header.width) != item.shape:
        height, width = item.shape
        raise DataError(
            f"Mask '{path}' is {header.width} x {header.height}, but image '{item.image}' is {width} x {height}."
        )
    if header.bands != 1:
        raise DataError(f"Mask '{path}' has {header.bands} channels: expected one, of class ids.")
    return not header.plain_grey
