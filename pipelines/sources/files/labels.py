"""The labels of a split of files: each class here turns what an index tells of the images into those of a task."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import tensorflow as tf

from pipelines.contract import Tree
from pipelines.kinds.boxes import padded
from pipelines.kinds.spec import CROWD, IGNORE, UNKNOWN, LabelSpec
from pipelines.pixels import masks, pictures
from pipelines.sources.files.entries import Annotation
from pipelines.sources.files.items import Item
from pipelines.sources.files.masks.deciding import Declared, decide
from pipelines.sources.files.masks.legends import Legend
from pipelines.sources.files.masks.meanings import Meaning, stopped
from pipelines.sources.files.outlines import PaintedMasks, paint

Reader = Callable[[tf.Tensor], tuple[Tree, tf.Tensor]]  # from an index to a label and its weight


class Labelled(Protocol):
    """An image with what is known of its objects: an `Item` here, an example of another source elsewhere."""

    @property
    def objects(self) -> list[Annotation] | None:
        """Its objects; None where they are not known."""

    @property
    def presence(self) -> Mapping[str, float] | None:
        """Which classes it has, 1, 0 or -1 where nobody looked; None where that follows from the objects."""


@dataclass(frozen=True)
class Label:
    """How the labels of one task are read; a source of files has one for each spec that it makes.

    Attributes:
        spec: what the labels mean.
        listed: the index names the classes of every image, so that a class that it never names occurs nowhere.
        mask_files: the images have mask files, which are to be found sound.
    """

    spec: LabelSpec
    listed: ClassVar[bool] = True
    mask_files: ClassVar[bool] = False

    def reader(self, items: Sequence[Item], max_boxes: int, trusted: bool) -> Reader:
        """Return the function from an index to a label and its weight, in graph.

        Args:
            items: the images.
            max_boxes: rows of boxes per image.
            trusted: nobody checks the values of masks: one that is no class stops the reading.
        """
        raise NotImplementedError

    def settled(self, items: Mapping[str, Sequence[Item]]) -> "Label":
        """Return the label once all images are known, by split: what their files say is decided by all of them."""
        return self

    def refused(self, items: Sequence[Item]) -> dict[Path, str]:
        """Return the images whose label is of no use by the header of its file, with a sentence that says why."""
        return {}

    def diagnose(self, item: Item) -> str | None:
        """Say why the label of an image cannot be read or means nothing, if that is so."""
        return None


class OneClass(Label):
    """The one class of an image: int32; an image without has 0 and weight 0."""

    def reader(self, items: Sequence[Item], max_boxes: int, trusted: bool) -> Reader:
        ids = {name: i for i, name in enumerate(self.spec.classes)}
        named = [item.entry.label for item in items]
        classes = tf.constant([0 if name is None else ids[name] for name in named], tf.int32)
        weights = tf.constant([name is not None for name in named])
        return lambda index: (tf.gather(classes, index), tf.cast(tf.gather(weights, index), tf.float32))


class Presence(Label):
    """Which classes an image has, as `presence` reads it."""

    def reader(self, items: Sequence[Item], max_boxes: int, trusted: bool) -> Reader:
        return presence(items, self.spec)


class Boxes(Label):
    """Boxes and their classes, as `boxes` reads them."""

    def reader(self, items: Sequence[Item], max_boxes: int, trusted: bool) -> Reader:
        return boxes(items, self.spec, max_boxes)


@dataclass(frozen=True)
class MaskFiles(Label):
    """Masks from files: uint8 `[h, w, 1]`; an image without one has weight 0.

    Attributes:
        ignore: the value that becomes 255; None where nothing is said: then 255, unless it is a class.
        offset: what is taken from each value; None: what the values say.
        legend: the colours or the values of the classes, or None.
        meaning: what the pixels of the files mean, where that is known, or once they were looked at.
    """

    ignore: int | None = None
    offset: int | None = None
    legend: Legend | None = None
    meaning: Meaning | None = None
    listed: ClassVar[bool] = False
    mask_files: ClassVar[bool] = True

    def settled(self, items: Mapping[str, Sequence[Item]]) -> "MaskFiles":
        return replace(self, meaning=decide(self._declared, items))

    @property
    def _declared(self) -> Declared:
        return Declared(self.spec.classes, self.ignore, self.offset, self.legend, self.meaning)

    def refused(self, items: Sequence[Item]) -> dict[Path, str]:
        masked = [(item.image, item.mask, item.mask_bands) for item in items if item.mask]
        if (self.legend and self.legend.colours) or all(bands >= 3 for _, _, bands in masked):
            return {}
        return {image: masks.channels(mask, bands) for image, mask, bands in masked if bands != 1}

    def reader(self, items: Sequence[Item], max_boxes: int, trusted: bool) -> Reader:
        meaning = self.meaning or decide(self._declared, {"": items})
        paths = tf.constant([str(item.mask or "") for item in items])
        slow = pictures.some([item.slow_image_mask if meaning.coloured else item.slow_mask for item in items])
        there = tf.constant([item.mask is not None for item in items])
        shapes = tf.constant([[*item.shape, 1] for item in items])
        ignored = tf.constant(IGNORE, tf.uint8)

        def read(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            mask = tf.cond(
                tf.gather(there, index),
                lambda: meaning.read(tf.gather(paths, index), slow(index)),
                lambda: tf.fill(tf.gather(shapes, index), ignored),
            )
            if trusted:  # nobody else looks at the values
                mask = stopped(mask, len(self.spec.classes), tf.strings.join(["Mask '", tf.gather(paths, index), "'"]))
            return tf.ensure_shape(mask, [None, None, 1]), tf.cast(tf.gather(there, index), tf.float32)

        return read

    def diagnose(self, item: Item) -> str | None:
        if item.mask is None:
            return None
        coloured = bool(self.meaning and self.meaning.coloured)
        slow = item.slow_image_mask if coloured else item.slow_mask
        if fault := pictures.fault(item.mask, slow, mask=not coloured):
            return f"Mask{fault.removeprefix('Image').removeprefix('Mask')}"
        return self.meaning.wrong(item.mask) if self.meaning else None


class Outlines(Label):
    """Masks painted from the outlines: uint8 `[h, w, 1]`; an image with an object that has no outline has weight 0."""

    def reader(self, items: Sequence[Item], max_boxes: int, trusted: bool) -> Reader:
        painted = PaintedMasks([item.objects or [] for item in items], self._ids(), [item.shape for item in items])
        whole = [item.objects is not None and all(a.segmentation for a in item.objects) for item in items]
        weights = tf.constant(np.array(whole, np.float32))
        return lambda index: (painted.read(index), tf.gather(weights, index))

    def diagnose(self, item: Item) -> str | None:
        try:
            paint(item.objects or [], self._ids(), item.shape)
        except ValueError as error:
            return f"Annotations of '{item.image}': {error}."
        return None

    def _ids(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.spec.classes)}


def presence(items: Sequence[Labelled], spec: LabelSpec) -> Reader:
    """Which classes an image has: float32 `[C]`, of 1, 0, and -1 where nobody looked; a crowd counts as present."""
    ids = {name: i for i, name in enumerate(spec.classes)}
    table = np.zeros((len(items), len(ids)), np.float32)
    for row, item in zip(table, items, strict=True):
        if item.presence is not None:
            row[[ids[name] for name in item.presence]] = list(item.presence.values())
        elif item.objects is not None:
            row[[ids[a.category] for a in item.objects if a.category]] = 1.0
        else:
            row[:] = UNKNOWN
    weights = tf.constant((table != UNKNOWN).any(axis=1).astype(np.float32))
    table = tf.constant(table)
    return lambda index: (tf.gather(table, index), tf.gather(weights, index))


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
        own = tf.range(tf.gather(starts, index), tf.gather(starts, index + 1))
        kept = padded(tf.gather(corners, own), tf.gather(classes, own), max_boxes)
        return kept, tf.cast(tf.gather(weights, index), tf.float32)

    return read


def warn_of_cut(cut: int, images: int, max_boxes: int) -> None:
    """Warn, if some images have more objects than are kept."""
    if cut:
        text = f"{cut} of {images} images have more objects than max_boxes={max_boxes}: the largest are kept."
        warnings.warn(text, stacklevel=3)


def _area(box: tuple[float, float, float, float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
