"""The labels of a split as arrays: each function here returns one that reads a sample's label, in graph."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from pipelines.contract import Tree
from pipelines.kinds.spec import CROWD, IGNORE, PADDING, UNKNOWN, LabelSpec
from pipelines.pixels import pictures
from pipelines.sources.files.entries import Annotation
from pipelines.sources.files.items import Item
from pipelines.sources.files.outlines import PaintedMasks

Reader = Callable[[tf.Tensor], tuple[Tree, tf.Tensor]]  # from an index to a label and its weight


class Labelled(Protocol):
    """An image with what is known of its objects: an `Item` here, an example of another source elsewhere."""

    @property
    def objects(self) -> list[Annotation] | None:
        """Its objects; None where they are not known."""

    @property
    def presence(self) -> Mapping[str, float] | None:
        """Which classes it has, 1, 0 or -1 where nobody looked; None where that follows from the objects."""


def label(items: list[Item], spec: LabelSpec) -> Reader:
    """The one class of an image: int32; an image without has 0 and weight 0."""
    ids = {name: i for i, name in enumerate(spec.classes)}
    classes = tf.constant([ids[item.entry.label] if item.entry.label is not None else 0 for item in items], tf.int32)
    weights = tf.constant([item.entry.label is not None for item in items])
    return lambda index: (classes[index], tf.cast(weights[index], tf.float32))


def presence(items: Sequence[Labelled], spec: LabelSpec) -> Reader:
    """Which classes an image has: float32 `[C]`, of 1, 0, and -1 where nobody looked; a crowd counts as present."""
    ids = {name: i for i, name in enumerate(spec.classes)}
    table = np.zeros((len(items), len(ids)), np.float32)
    for row, item in zip(table, items, strict=True):
        if item.presence is not None:
            row[[ids[name] for name in item.presence]] = list(item.presence.values())
        elif item.objects is not None:
            row[[ids[a.category] for a in item.objects]] = 1.0
        else:
            row[:] = UNKNOWN
    weights = tf.constant((table != UNKNOWN).any(axis=1).astype(np.float32))
    table = tf.constant(table)
    return lambda index: (table[index], weights[index])


def boxes(items: Sequence[Labelled], spec: LabelSpec, max_boxes: int) -> Reader:
    """Boxes float32 `[max_boxes, 4]` and classes int32 `[max_boxes]`: objects, then crowds, then padding.

    An image whose objects are not known has weight 0.
    """
    ids = {name: i for i, name in enumerate(spec.classes)}
    rows, starts, cut = [], [0], 0
    for item in items:
        chosen = sorted(item.objects or [], key=lambda a: (a.crowd, -_area(a.box)))
        cut += len(chosen) > max_boxes
        rows += chosen[:max_boxes]
        starts.append(len(rows))
    warn_of_cut(cut, len(items), max_boxes)
    corners = tf.constant(np.array([a.box for a in rows], np.float32).reshape(-1, 4))
    classes = tf.constant(np.array([CROWD if a.crowd else ids[a.category] for a in rows], np.int32))
    starts = tf.constant(starts)
    weights = tf.constant([item.objects is not None for item in items])

    def read(index: tf.Tensor) -> tuple[Tree, tf.Tensor]:
        start, end = starts[index], starts[index + 1]
        after = max_boxes - (end - start)
        label = {
            "boxes": tf.ensure_shape(tf.pad(corners[start:end], [[0, after], [0, 0]]), [max_boxes, 4]),
            "classes": tf.ensure_shape(tf.pad(classes[start:end], [[0, after]], constant_values=PADDING), [max_boxes]),
        }
        return label, tf.cast(weights[index], tf.float32)

    return read


def warn_of_cut(cut: int, images: int, max_boxes: int) -> None:
    """Warn, if some images have more objects than are kept."""
    if cut:
        text = f"{cut} of {images} images have more objects than max_boxes={max_boxes}: the largest are kept."
        warnings.warn(text, stacklevel=3)


def mask_files(items: list[Item], spec: LabelSpec, ignore: int, trusted: bool) -> Reader:
    """Masks from PNG files: uint8 `[h, w, 1]`; an image without one has weight 0.

    Args:
        items: the images.
        spec: of the masks' classes.
        ignore: the value that becomes 255.
        trusted: nobody checks the values: those that are no class become 255 too.
    """
    paths = tf.constant([str(item.mask or "") for item in items])
    slow = tf.constant([item.slow_mask for item in items])
    there = tf.constant([item.mask is not None for item in items])
    shapes = tf.constant([[*item.shape, 1] for item in items])
    ignored = tf.constant(IGNORE, tf.uint8)

    def read(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        mask = tf.cond(
            there[index],
            lambda: pictures.decode_mask(paths[index], slow[index]),
            lambda: tf.fill(shapes[index], ignored),
        )
        if ignore != IGNORE:
            mask = tf.where(mask == ignore, ignored, mask)
        if trusted:
            mask = tf.where(mask < len(spec.classes), mask, ignored)
        return tf.ensure_shape(mask, [None, None, 1]), tf.cast(there[index], tf.float32)

    return read


def painted_masks(items: list[Item], spec: LabelSpec) -> Reader:
    """Masks painted from the outlines: uint8 `[h, w, 1]`; an image with an object that has no outline has weight 0."""
    ids = {name: i for i, name in enumerate(spec.classes)}
    painted = PaintedMasks([item.objects or [] for item in items], ids, [item.shape for item in items])
    whole = [item.objects is not None and all(a.segmentation for a in item.objects) for item in items]
    weights = tf.constant(np.array(whole, np.float32))
    return lambda index: (painted.read(index), weights[index])


def follow_boxes(before: Tree, after: Tree, specs: dict[str, LabelSpec], indices: tf.Tensor) -> Tree:
    """Let presence follow the boxes of a batch that was cropped: a class whose boxes are all gone is no longer there.

    A class that never had a box, or only crowds, stays as it was.
    """
    boxed = specs["detection"].classes
    ids = [boxed.index(name) if name in boxed else len(boxed) for name in specs["classification"].classes]

    def seen(labels: Tree) -> tf.Tensor:
        return tf.gather(tf.reduce_max(tf.one_hot(labels["detection"]["classes"], len(boxed) + 1), axis=1), ids, axis=1)

    gone = (seen(before) == 1.0) & (seen(after) == 0.0)
    return {**after, "classification": tf.where(gone, 0.0, after["classification"])}


def _area(box: tuple[float, float, float, float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
