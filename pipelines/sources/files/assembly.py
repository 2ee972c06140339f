"""From the entries of an index to a source: headers read, labels in arrays, samples read in graph."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from pipelines.accounts.account import Account
from pipelines.contract import Original, Request, Source, Split, Tree
from pipelines.errors import DataError
from pipelines.kinds import following
from pipelines.pixels import pictures
from pipelines.pixels.rules import Levels, Reading
from pipelines.sources.files import notes
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.items import Item, read_items, settle
from pipelines.sources.files.labels import Boxes, Label, Outlines
from pipelines.sources.files.split_lists import listed


def assemble(
    request: Request,
    entries: Mapping[str, list[Entry]],
    there: Sequence[Label],
    check: str,
    reading: Reading,
) -> Source:
    """Build a source of files.

    Args:
        request: what `pipelines.load` asks for.
        entries: of each split.
        there: of all labels that some entry may have.
        check: "full" decodes every file when loading. "auto" does so unless they are very many: then each is checked
            when it is first met. "headers" reads only headers and end markers of what is not kept in memory, for large
            data known to be sound; a mask value that is no class stops when it is met.
        reading: how the pictures are read.
    """
    trusted, entries = check == "headers", listed(request, entries)
    specs = request.choose([label.spec for label in there])
    chosen = [label for label in there if label.spec in specs]
    with_masks = any(label.mask_files for label in chosen)
    items = {name: read_items(known, with_masks, trusted, request.account, reading) for name, known in entries.items()}
    items = settle(items, with_masks, reading)
    items = _accepted(items, chosen, request.account)
    for name, known in items.items():
        if not known:
            raise DataError(_why_empty(name, entries[name], request))
    _tell_unlabelled(items, request)
    for name, known in items.items():
        _account(name, known, request.account)
    chosen = [label.settled(items) for label in chosen]
    if not with_masks:
        for mask in (entry.mask for known in entries.values() for entry in known if entry.mask):
            request.account.leave(mask, "a mask, not asked for")
    notes.tell_shared(items)
    if any(isinstance(label, Boxes) for label in chosen):
        notes.tell_bare(request.path, items)
    notes.tell((item for known in items.values() for item in known), reading)
    splits = {name: _split(known, chosen, request, check, reading.levels) for name, known in items.items()}
    lists = tuple((request.lists or {}).values())
    return Source(specs, splits, _absent(items, there), lists=lists)


def _accepted(items: dict[str, list[Item]], labels: Sequence[Label], account: Account) -> dict[str, list[Item]]:
    """Leave out the images whose labels are refused by the headers of their files."""
    every = [item for known in items.values() for item in known]
    refused = {image: words for label in labels for image, words in label.refused(every).items()}
    for item in every if refused else ():
        if item.image in refused:
            account.problems.report(refused[item.image])
            _lose(item, refused[item.image], account)
    return {name: [item for item in known if item.image not in refused] for name, known in items.items()}


def _why_empty(name: str, entries: list[Entry], request: Request) -> str:
    """Say why a split has no image: what was wrong with the first of those that it should have, or that none was."""
    skipped = request.problems.skipped
    if not entries:
        why = f" that can be used. The first: {skipped[0]}" if skipped else "."
        return f"Split '{name}' is empty: '{request.path}' gives it no image{why}"
    lost = (request.account.loss(entry.image) for entry in entries)
    first = next((words for words in lost if words), skipped[-1] if skipped else "")
    return f"Split '{name}' is empty: none of its {len(entries)} images can be used. The first: {first}"


def _account(split: str, items: list[Item], account: Account) -> None:
    """Note what the files of a split are used as."""
    for item in items:
        account.use(item.image, f"image of {split}" if _is_labelled(item.entry) else f"image of {split}, not labelled")
        if item.mask:
            account.use(item.mask, f"mask of {split}")
        if item.entry.index.is_file():
            account.use(item.entry.index, "annotations")


def _tell_unlabelled(items: Mapping[str, list[Item]], request: Request) -> None:
    """Warn of a split of which no image has labels, as a test set that nobody labelled, where there are others.

    Raises:
        DataError: it is the one to train on.
    """
    bare = [name for name, known in items.items() if not any(_is_labelled(item.entry) for item in known)]
    if len(bare) == len(items) and any(item.entry.lost for known in items.values() for item in known):
        raise DataError(f"'{request.path}' has no label that can be used.{request.problems.first}")
    if request.member or len(bare) == len(items):
        return
    for name in bare:
        message = f"Split '{name}' of '{request.path}' has no labels: none of its {len(items[name])} images has any"
        if name == "train":
            raise DataError(f"{message}.")
        warnings.warn(f"{message}, and nothing can be measured on it.", stacklevel=4)


def _is_labelled(entry: Entry) -> bool:
    """Whether an index says anything of an image, be it that it shows nothing."""
    said = (entry.objects, entry.label, entry.presence, entry.mask, *entry.more.values())
    return any(value is not None for value in said)


def _lose(item: Item, message: str, account: Account) -> None:
    """Note that an image is left out, and all that was to be learnt of it."""
    account.note_loss(message, item.image, item.annotations)
    if item.mask:
        account.note_loss(message, item.mask)


def _absent(items: Mapping[str, list[Item]], there: Sequence[Label]) -> frozenset[str]:
    """Class names that no image has; those that no index lists may be anywhere."""
    names = {c for label in there if label.listed for c in label.spec.classes} - {"background"}
    for known in items.values():
        for item in known:
            names -= {item.entry.label, *(item.presence or ()), *(a.category for a in item.objects or ())}
    return frozenset(names - {c for label in there if not label.listed for c in label.spec.classes})


def _split(items: list[Item], labels: list[Label], request: Request, check: str, scale: Levels | None) -> Split:
    """Make the samples of one split readable in graph."""
    trusted = check == "headers"
    paths = tf.constant([str(item.image) for item in items])
    slow, turn = pictures.some([item.slow for item in items]), pictures.some([item.turn for item in items])
    readers = {label.spec.name: label.reader(items, request.max_boxes, trusted) for label in labels}
    ratios = _ratios(items, request)
    smaller = None if ratios is None else tf.constant(ratios)

    def read(index: tf.Tensor) -> Tree:
        pairs = {name: reader(index) for name, reader in readers.items()}
        return {
            "image": pictures.decode(
                tf.gather(paths, index),
                slow(index),
                turn(index),
                None if smaller is None else tf.gather(smaller, index),
                scale,
            ),
            "labels": {name: label for name, (label, _) in pairs.items()},
            "weights": {name: weight for name, (_, weight) in pairs.items()},
        }

    derived = all(item.presence is None for item in items)
    painted = any(isinstance(label, Outlines) for label in labels)
    return Split(
        np.array([item.shape for item in items], np.int32),
        read,
        following.presence(label.spec for label in labels) if derived else None,
        lambda index: _diagnose(items[index], labels, scale),
        trusted,
        lambda index: str(items[index].image),
        ratios=ratios,
        lose=lambda index, message: _lose(items[index], message, request.account),
        patient=check == "auto",
        encoded=lambda index: None if items[index].slow else items[index].image.read_bytes(),
        original=lambda index: _original(items[index], painted),
    )


def _original(item: Item, painted: bool) -> Original:
    """Return what a sample was made from."""
    return Original(item.image, item.objects, painted, item.orientation, item.entry.index, item.entry.number)


def _ratios(items: list[Item], request: Request) -> np.ndarray | None:
    """By how much smaller each image is decoded, int32 `[N]`; None where none is."""
    if not request.zoom:
        return None
    ratios = [pictures.ratio(item.shape, request.image_size, request.zoom) if item.jpeg else 1 for item in items]
    return np.array(ratios, np.int32) if max(ratios) > 1 else None


def _diagnose(item: Item, labels: Sequence[Label], scale: Levels | None) -> str:
    """Say why a sample could not be read."""
    if fault := pictures.fault(item.image, item.slow, scale=scale):
        return fault
    sentences = (label.diagnose(item) for label in labels)
    return next((sentence for sentence in sentences if sentence), f"Image '{item.image}' cannot be read.")
