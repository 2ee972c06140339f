"""From the entries of an index to a source: headers read, labels in arrays, samples read in graph."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from pipelines.contract import Request, Source, Split, Tree
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.pixels import pictures
from pipelines.sources.files import labels
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.items import Item, read_items
from pipelines.sources.files.outlines import paint


def assemble(
    request: Request,
    entries: Mapping[str, list[Entry]],
    there: Sequence[LabelSpec],
    ignore: int = IGNORE,
    check: str = "full",
) -> Source:
    """Build a source of files.

    Masks come from the entries' mask files; where no entry of any split has one, they are painted from the outlines.

    Args:
        request: what `pipelines.load` asks for.
        entries: of each split.
        there: of all labels that some entry may have.
        ignore: the value of mask files that is ignored.
        check: "full" decodes every file when loading. "headers" reads only headers and end markers of what is not
            kept in memory, for large data known to be sound; mask values that are no class are then ignored.
    """
    trusted = check == "headers"
    specs = request.choose(there)
    with_masks = any(spec.kind == "segmentation" for spec in specs)
    painted = not any(entry.mask for found in entries.values() for entry in found)
    items = {name: read_items(found, with_masks, trusted, request.problems) for name, found in entries.items()}
    for name, found in items.items():
        if not found:
            where = entries[name][0].index if entries[name] else request.path
            raise DataError(f"Split '{name}' is empty: '{where}' gives it no usable image.")
    splits = {name: _split(found, specs, ignore, painted, request, trusted) for name, found in items.items()}
    return Source(specs, splits, _absent(items, there, painted))


def _absent(items: Mapping[str, list[Item]], there: Sequence[LabelSpec], painted: bool) -> frozenset[str]:
    """Class names that no image has; those of mask files may be anywhere."""
    names = {c for spec in there if painted or spec.kind != "segmentation" for c in spec.classes} - {"background"}
    for found in items.values():
        for item in found:
            names -= {item.entry.label, *(item.entry.presence or ()), *(a.category for a in item.objects or ())}
    masked = {c for spec in there if not painted and spec.kind == "segmentation" for c in spec.classes}
    return frozenset(names - masked)


def _split(
    items: list[Item], specs: tuple[LabelSpec, ...], ignore: int, painted: bool, request: Request, trusted: bool
) -> Split:
    """Make the samples of one split readable in graph."""
    paths = tf.constant([str(item.image) for item in items])
    slow, turn = tf.constant([item.slow for item in items]), tf.constant([item.turn for item in items])
    readers = {}
    for spec in specs:
        if spec.kind == "classification":
            readers[spec.name] = labels.label(items, spec)
        elif spec.kind == "multi_label":
            readers[spec.name] = labels.presence(items, spec)
        elif spec.kind == "detection":
            readers[spec.name] = labels.boxes(items, spec, request.max_boxes)
        elif painted:
            readers[spec.name] = labels.painted_masks(items, spec)
        else:
            readers[spec.name] = labels.mask_files(items, spec, ignore, trusted)

    ratios = _ratios(items, request)
    smaller = None if ratios is None else tf.constant(ratios)

    def read(index: tf.Tensor) -> Tree:
        pairs = {name: reader(index) for name, reader in readers.items()}
        return {
            "image": pictures.decode(
                paths[index], slow[index], turn[index], None if smaller is None else smaller[index]
            ),
            "labels": {name: label for name, (label, _) in pairs.items()},
            "weights": {name: weight for name, (_, weight) in pairs.items()},
        }

    names = {spec.name: spec for spec in specs}
    follows = {"classification", "detection"} <= set(names) and names["classification"].kind == "multi_label"
    follows = follows and all(item.entry.presence is None for item in items)
    return Split(
        np.array([item.shape for item in items], np.int32),
        read,
        labels.follow_boxes if follows else None,
        lambda index: _diagnose(items[index], names.get("segmentation"), ignore, painted),
        trusted,
        lambda index: str(items[index].image),
        ratios=ratios,
        encoded=lambda index: None if items[index].slow else items[index].image.read_bytes(),
    )


def _ratios(items: list[Item], request: Request) -> np.ndarray | None:
    """By how much smaller each image is decoded, int32 `[N]`; None where none is."""
    if not request.zoom:
        return None
    found = [pictures.ratio(item.shape, request.image_size, request.zoom) if item.jpeg else 1 for item in items]
    return np.array(found, np.int32) if max(found) > 1 else None


def _diagnose(item: Item, masks: LabelSpec | None, ignore: int, painted: bool) -> str:
    """Say why a sample could not be read."""
    if pictures.is_broken(item.image, item.slow):
        return f"Image '{item.image}' is truncated or damaged."
    if masks and painted:
        try:
            paint(item.objects or [], {name: i for i, name in enumerate(masks.classes)}, item.shape)
        except ValueError as error:
            return f"Annotations of '{item.image}': {error}."
    if masks and item.mask and not pictures.is_broken(item.mask, item.slow_mask, mask=True):
        for value in np.unique(pictures.mask_values(item.mask)).tolist():
            if value != ignore and not 0 <= value < len(masks.classes):
                return f"Mask '{item.mask}' has the value {value}: expected 0 to {len(masks.classes) - 1}, or {ignore}."
    return f"Mask '{item.mask}' is truncated or damaged."
