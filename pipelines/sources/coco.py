"""COCO instance JSON with images beside it: boxes, semantic masks and which categories are present."""

import numpy as np
import tensorflow as tf

from pipelines import pictures
from pipelines.errors import DataError, one_of
from pipelines.source import Request, Source, Split, Tree
from pipelines.sources import coco_labels
from pipelines.sources.coco_index import read_index
from pipelines.sources.coco_items import Item, read_items
from pipelines.sources.coco_layout import Folder, find
from pipelines.sources.coco_masks import paint
from pipelines.specs import IGNORE, LabelSpec


def coco(request: Request, divide: bool | None = None, check: str = "full") -> Source:
    """Read a folder with COCO instance JSON; `coco_layout.find` has the layouts.

    Tasks: "classification" (multi-label: the categories present), "detection", and "segmentation", from a folder of PNG
    masks or else from the polygons and RLE of the objects ("background" and the categories, if they are at most 254).

    - Boxes may stick out of their image by 2 pixels, and are clipped. Crowd regions are ignored (class -2, mask 255),
      and count as present.
    - An image with an EXIF orientation is turned upright if the JSON's width and height are those of the upright image,
      or are not given; otherwise the annotations are taken to mean the image as stored.

    Args:
        request: what `pipelines.load` asks for; its path is the folder.
        divide: whether a folder without splits is divided 80/10/10 by a hash of the file names. None divides it
            unless one split alone is asked for, which is then all of it.
        check: "full" decodes every file when loading. "headers" reads only headers and end markers of what is not
            kept in memory, for large data known to be sound; mask values that are no class are then ignored.
    """
    if request.path is None:
        raise DataError("Source 'coco' needs path=FOLDER, with annotations.json and images/ in it or in its train/.")
    one_of(check, ("full", "headers"), "check")
    trusted = check == "headers"
    divide = len(request.splits) > 1 if divide is None else divide
    folders = find(request.path, request.splits, divide)
    indexes = {name: read_index(folder.annotations, request.problems) for name, folder in folders.items()}
    items: dict[str, list[Item]] = {}
    for name, folder in folders.items():
        entries = [entry for entry in indexes[name][1] if folder.holds(entry.file_name)]
        items[name] = read_items(entries, folder, request.wants("segmentation"), trusted, request.problems)
        if not items[name]:
            raise DataError(f"Split '{name}' is empty: '{folder.annotations}' gives it no usable image.")

    categories = _categories(indexes, folders)
    objects = [a for found in items.values() for item in found for a in item.annotations]
    filed = next((folder for folder in folders.values() if folder.masks), None)
    classes, ignore = (filed and filed.mask_classes) or (("background", *categories), IGNORE)
    there = []
    if categories:
        there.append(LabelSpec("classification", "multi_label", categories))
        there.append(LabelSpec("detection", "detection", categories))
    if filed or (len(classes) <= IGNORE and any(a.segmentation for a in objects)):
        there.append(LabelSpec("segmentation", "segmentation", classes))
    specs = request.choose(there)
    absent = frozenset(categories) - {a.category for a in objects}
    if filed and filed.mask_classes:
        absent -= set(classes)

    def split(name: str) -> Split:
        return _split(items[name], specs, ignore, not filed, request.max_boxes, trusted)

    return Source(specs, {name: split(name) for name in folders}, absent)


def _categories(indexes: dict, folders: dict[str, Folder]) -> tuple[str, ...]:
    """The category names of the first split; the others may have no more."""
    first, *others = indexes
    categories = indexes[first][0]
    for split in others:
        for name in indexes[split][0]:
            if name not in categories:
                known = folders[first].annotations
                raise DataError(f"'{folders[split].annotations}': categories: '{name}' is not one of '{known}'.")
    return tuple(categories)


def _split(
    items: list[Item], specs: tuple[LabelSpec, ...], ignore: int, painted: bool, max_boxes: int, trusted: bool
) -> Split:
    """Make the samples of one split readable in graph."""
    paths = tf.constant([str(item.image) for item in items])
    slow, turn = tf.constant([item.slow for item in items]), tf.constant([item.turn for item in items])
    readers = {}
    for spec in specs:
        if spec.kind == "multi_label":
            readers[spec.name] = coco_labels.presence(items, spec)
        elif spec.kind == "detection":
            readers[spec.name] = coco_labels.boxes(items, spec, max_boxes)
        elif painted:
            readers[spec.name] = coco_labels.painted_masks(items, spec)
        else:
            readers[spec.name] = coco_labels.mask_files(items, spec, ignore, trusted)

    def read(index: tf.Tensor) -> Tree:
        pairs = {name: reader(index) for name, reader in readers.items()}
        return {
            "image": pictures.decode(paths[index], slow[index], turn[index]),
            "labels": {name: label for name, (label, _) in pairs.items()},
            "weights": {name: weight for name, (_, weight) in pairs.items()},
        }

    names = {spec.name: spec for spec in specs}
    return Split(
        np.array([item.shape for item in items], np.int32),
        read,
        coco_labels.follow_boxes if {"classification", "detection"} <= set(names) else None,
        lambda index: _diagnose(items[index], names.get("segmentation"), ignore, painted),
        trusted,
    )


def _diagnose(item: Item, masks: LabelSpec | None, ignore: int, painted: bool) -> str:
    """Say why a sample could not be read."""
    if pictures.is_broken(item.image, item.slow):
        return f"Image '{item.image}' is truncated or damaged."
    if masks and painted:
        try:
            paint(item.annotations, {name: i for i, name in enumerate(masks.classes)}, item.shape)
        except ValueError as error:
            return f"Annotations of '{item.image}': {error}."
    if masks and item.mask and not pictures.is_broken(item.mask, item.slow_mask, mask=True):
        for value in np.unique(pictures.mask_values(item.mask)).tolist():
            if value != ignore and not 0 <= value < len(masks.classes):
                return f"Mask '{item.mask}' has the value {value}: expected 0 to {len(masks.classes) - 1}, or {ignore}."
    return f"Mask '{item.mask}' is truncated or damaged."
