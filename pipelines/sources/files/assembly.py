"""From the entries of an index to a source: headers read, labels in arrays, samples read in graph."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from pipelines.contract import Request, Source, Split, Tree
from pipelines.errors import DataError
from pipelines.kinds import following
from pipelines.pixels import pictures
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.items import Item, read_items
from pipelines.sources.files.labels import Label


def assemble(
    request: Request, entries: Mapping[str, list[Entry]], there: Sequence[Label], check: str = "full"
) -> Source:
    """Build a source of files.

    Args:
        request: what `pipelines.load` asks for.
        entries: of each split.
        there: of all labels that some entry may have.
        check: "full" decodes every file when loading. "headers" reads only headers and end markers of what is not
            kept in memory, for large data known to be sound; mask values that are no class are then ignored.
    """
    trusted = check == "headers"
    specs = request.choose([label.spec for label in there])
    chosen = [label for label in there if label.spec in specs]
    with_masks = any(label.mask_files for label in chosen)
    items = {name: read_items(known, with_masks, trusted, request.problems) for name, known in entries.items()}
    for name, known in items.items():
        if not known:
            where = entries[name][0].index if entries[name] else request.path
            raise DataError(f"Split '{name}' is empty: '{where}' gives it no usable image.")
    splits = {name: _split(known, chosen, request, trusted) for name, known in items.items()}
    return Source(specs, splits, _absent(items, there))


def _absent(items: Mapping[str, list[Item]], there: Sequence[Label]) -> frozenset[str]:
    """Class names that no image has; those that no index lists may be anywhere."""
    names = {c for label in there if label.listed for c in label.spec.classes} - {"background"}
    for known in items.values():
        for item in known:
            names -= {item.entry.label, *(item.presence or ()), *(a.category for a in item.objects or ())}
    return frozenset(names - {c for label in there if not label.listed for c in label.spec.classes})


def _split(items: list[Item], labels: list[Label], request: Request, trusted: bool) -> Split:
    """Make the samples of one split readable in graph."""
    paths = tf.constant([str(item.image) for item in items])
    slow, turn = tf.constant([item.slow for item in items]), tf.constant([item.turn for item in items])
    readers = {label.spec.name: label.reader(items, request.max_boxes, trusted) for label in labels}
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

    derived = all(item.presence is None for item in items)
    return Split(
        np.array([item.shape for item in items], np.int32),
        read,
        following.presence(label.spec for label in labels) if derived else None,
        lambda index: _diagnose(items[index], labels),
        trusted,
        lambda index: str(items[index].image),
        ratios=ratios,
        encoded=lambda index: None if items[index].slow else items[index].image.read_bytes(),
    )


def _ratios(items: list[Item], request: Request) -> np.ndarray | None:
    """By how much smaller each image is decoded, int32 `[N]`; None where none is."""
    if not request.zoom:
        return None
    ratios = [pictures.ratio(item.shape, request.image_size, request.zoom) if item.jpeg else 1 for item in items]
    return np.array(ratios, np.int32) if max(ratios) > 1 else None


def _diagnose(item: Item, labels: Sequence[Label]) -> str:
    """Say why a sample could not be read."""
    if pictures.is_broken(item.image, item.slow):
        return f"Image '{item.image}' is truncated or damaged."
    sentences = (label.diagnose(item) for label in labels)
    return next((sentence for sentence in sentences if sentence), f"Image '{item.image}' cannot be read.")
