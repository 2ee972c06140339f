"""What every kind of label answers: unlabelled, merged, moved, checked, packed, counted and shown."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError
from pipelines.pixels import geometry
from pipelines.pixels.geometry import Cut, Placement, Size
from pipelines.pixels.windows import Cover

Label = Any  # a tensor, or tensors by key; NumPy arrays where a docstring says so
Change = Callable[[Label, tf.Tensor], tuple[Label, tf.Tensor]]  # from a label and its weight to others


class Spec(Protocol):
    """What a kind asks of a `LabelSpec`, which asks its kind in turn."""

    @property
    def name(self) -> str:
        """The name of the task."""

    @property
    def kind(self) -> str:
        """The name of the kind."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names."""


class Count(NamedTuple):
    """What one label holds.

    Attributes:
        classes: int64 `[C]`, how many `Kind.unit` of each class.
        ignored: how many regions, pixels or numbers are neither learnt nor counted.
        sizes: float32 `[N, 2]`, width and height in pixels of its objects, if the kind has objects.
    """

    classes: np.ndarray
    ignored: int = 0
    sizes: np.ndarray = np.zeros((0, 2), np.float32)


class Kind(ABC):
    """What is to be done with the labels of one task.

    A label is a tensor or a flat dictionary of tensors, of fixed shapes but for those that are maps. `Split.read` gives
    it without a batch axis, in the pixels of its own picture. In the graph it then goes through `place` (maps) and
    `mirror` sample by sample, and through `move` (all else) and `finish` as batches.

    Args:
        spec: what the labels mean.

    Attributes:
        classes: the class names.
        maps: the tensors that have a value for every pixel, `[h, w, 1]`, by their key (`""` where the label is one
            tensor), and the value that lies beyond the picture. They are kept in memory end to end.
        pixel_bytes: bytes that they take in a pack for each pixel, roughly.
        unit: what `count` counts for each class: "images", "objects", "pixels" or else.
        has_objects: whether a label holds objects, each with a row: then `rows` and `seen` tell of them.
        alike: whether pictures in one image have one label only if they have the same.
        follows: whether classes whose objects have left the picture are to be taken out by `without`.
    """

    maps: ClassVar[Mapping[str, float]] = {}
    pixel_bytes: ClassVar[float] = 0.0
    unit: ClassVar[str] = "images"
    has_objects: ClassVar[bool] = False
    follows: ClassVar[bool] = False
    alike: ClassVar[bool] = False

    def __init__(self, spec: Spec):
        self.spec, self.classes = spec, spec.classes

    def check(self) -> None:
        """Check the spec.

        Raises:
            DataError: it has no class names, or two are the same.
        """
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise DataError(f"Task '{self.spec.name}' needs class names, all different, not {list(self.classes)}.")

    # Several sources as one

    @abstractmethod
    def unlabelled(self, shape: tf.Tensor, rows: int) -> Label:
        """Return the label, in graph, of an image that has none; its weight is 0.

        Args:
            shape: int32 `[2]`, height and width of the image.
            rows: for objects.
        """

    @abstractmethod
    def mapped(self, names: Sequence[str | None]) -> Change:
        """Return the change, in graph, of a label of other classes to one of these.

        Args:
            names: what the classes of the other are called among these; None for one that is neither learnt nor
                counted.
        """

    def ids(self, names: Sequence[str | None], dropped: int) -> np.ndarray:
        """Return the id among these classes of each name: `dropped` for None, 0 for one that never occurs."""
        known = {name: place for place, name in enumerate(self.classes)}
        return np.array([dropped if name is None else known.get(name, 0) for name in names])

    # With the picture

    def place(self, label: Label, placement: Placement, size: Size, turned: bool) -> Label:
        """Take the maps of one label where its picture goes; each becomes `[H, W, 1]`.

        Args:
            label: of one sample.
            placement: where to.
            size: height and width of the image in pixels, or of the part of it that the picture fills.
            turned: whether pictures are turned.
        """

        def placed(values: tf.Tensor, outside: float) -> tf.Tensor:
            if turned:
                return geometry.warp(values, placement, size, outside, smooth=False)
            return geometry.sample_map(values, placement, size, outside)

        return self._with_maps(label, placed)

    def mirror(self, label: Label, flip: tf.Tensor) -> Label:
        """Mirror the maps of one label, which are in place, if the scalar `flip` is set."""
        return self._with_maps(label, lambda values, _: geometry.mirror(values, flip))

    @abstractmethod
    def move(self, label: Label, placement: Placement, size: tuple[int, int], cut: Cut | None, turned: bool) -> Label:
        """Take what of a batch of labels has a place, and is no map, where the pictures went, mirrored ones too.

        Args:
            label: of B samples.
            placement: of the B pictures.
            size: height and width of the image in pixels.
            cut: what becomes of objects that have left the image in part; None where nothing of a picture can leave it.
            turned: whether pictures are turned.
        """

    def finish(self, label: Label, zoom: tf.Tensor | None) -> Label:
        """Give a batch of labels the form in which models learn from them: maps lose their last axis.

        Args:
            label: of B samples, in place.
            zoom: float32 `[B]`, how much larger each picture is than it was; None where none is, or `zoomed` has seen
                to it.
        """
        label = label if zoom is None else self.zoomed(label, zoom)
        return self._with_maps(label, lambda values, _: values[..., 0])

    def zoomed(self, label: Label, zoom: tf.Tensor) -> Label:
        """Return a batch of labels, of which the maps alone need be there, of pictures seen larger by `zoom` `[B]`."""
        return label

    def _with_maps(self, label: Label, change: Callable[[tf.Tensor, float], tf.Tensor]) -> Label:
        """Change the maps of a label."""
        if "" in self.maps:
            return change(label, self.maps[""])
        return {**label, **{key: change(label[key], value) for key, value in self.maps.items()}} if self.maps else label

    # Several pictures in one image

    @property
    def joins(self) -> bool:
        """Whether pictures that lie in one image can have one label."""
        return "" in self.maps or type(self).join is not Kind.join

    def join(self, labels: Label, weights: tf.Tensor, windows: tf.Tensor) -> tuple[Label, tf.Tensor]:
        """Return the label of an image in which N pictures lie, and its weight `[]`.

        Maps are put together already: where a picture without this label lies, they have the value of what is beyond.
        A kind that has more than a map, and does not say here what is to be done, is in no such image.

        Args:
            labels: of N pictures, what is no map, in place.
            weights: float32 `[N]`, 1 or 0 of each; a label of weight 0 says nothing.
            windows: int32 `[N, 4]`, where they lie: y, x, height, width in pixels.
        """
        if "" not in self.maps:
            raise NotImplementedError
        return labels, tf.reduce_max(weights)

    def hide(self, label: Label, cover: Cover, cut: Cut) -> Label:
        """Return one label, what is no map of it, of a picture over which something lies."""
        return label

    @property
    def paints(self) -> bool:
        """Whether the label is one map, of the ids of its classes."""
        return False

    # Read once

    def is_wrong(self, label: Label) -> bool:
        """Whether a label, of arrays, has values that mean nothing."""
        return False

    @abstractmethod
    def count(self, label: Label) -> Count:
        """Count one label, of arrays."""

    # In a pack

    @abstractmethod
    def features(self) -> dict[str, Any]:
        """Return how what `write` gives is parsed, as `tf.io.parse_single_example` takes it."""

    @abstractmethod
    def write(self, label: Label) -> dict[str, tf.train.Feature]:
        """Return what a pack keeps of one label, of arrays; `features` has the helpers."""

    @abstractmethod
    def read(self, values: Mapping[str, tf.Tensor], shape: tf.Tensor, rows: int) -> Label:
        """Return the label, in graph, that `write` wrote.

        Args:
            values: by the keys of `features`.
            shape: int32 `[2]`, height and width of the picture.
            rows: for objects; those written last are left out.
        """

    # Of kinds that have objects

    def rows(self, label: Label) -> int:
        """Return how many rows one label, of arrays, fills."""
        raise NotImplementedError

    def seen(self, label: Label) -> tf.Tensor:
        """Return which classes the objects of a batch of labels have: float32 `[B, C]`, 1 or 0."""
        raise NotImplementedError

    def objects(self, label: Label) -> tuple[tf.Tensor, tf.Tensor]:
        """Return boxes float32 `[M, 4]` and classes int32 `[M]`, below 0 for none, of the rows of one label."""
        raise NotImplementedError

    def chosen(self, label: Label, kept: tf.Tensor, ignored: tf.Tensor) -> Label:
        """Return one label with some of its rows as they are, and others as regions to ignore: bool `[M]` each."""
        raise NotImplementedError

    # Of kinds that follow those

    def without(self, label: Label, gone: tf.Tensor) -> Label:
        """Return a batch of labels without the classes that have left the pictures, bool `[B, C]`."""
        raise NotImplementedError

    def including(self, label: Label, added: tf.Tensor) -> Label:
        """Return one label with the classes of objects that were added to the picture, bool `[C]`."""
        raise NotImplementedError
