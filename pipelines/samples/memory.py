"""Samples kept in memory, so that later epochs decode nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines import kinds
from pipelines.contract import Tree
from pipelines.kinds.spec import LabelSpec

Place = tuple[str, str]  # of pixels in a sample: a task, and a key of its label or ""
IMAGE: Place = ("", "")


@dataclass(frozen=True)
class Reader:
    """How samples are read while training.

    Attributes:
        read: from a scalar index to a sample, in graph, perhaps of pixels only; and from what `known` says of it.
        complete: from a batch of those and its indices `[B]` to a batch of whole samples.
        placed: whether pixels and boxes are in place already, as `Batching.place_whole` leaves them.
        known: in graph, what is known at the start of a pass of each of its samples, bool `[N]` of their indices `[N]`;
            None where nothing changes.
    """

    read: Callable[..., Tree]
    complete: Callable[[Tree, tf.Tensor], Tree] = lambda batch, indices: batch
    placed: bool = False
    known: Callable[[tf.Tensor], tf.Tensor] | None = None


class Memory:
    """Samples of one split: images and maps end to end, as they may differ in size; all else as a row each.

    Args:
        layout: the sample as a tree of `tf.TensorSpec`s.
        specs: of its labels.
        shapes: int32 `[N, 2]`, height and width of each image's maps.
        read_shapes: int32 `[N, 2]`, height and width of each image.
    """

    def __init__(self, layout: Tree, specs: Iterable[LabelSpec], shapes: np.ndarray, read_shapes: np.ndarray):
        self.maps: list[Place] = [(spec.name, key) for spec in specs for key in kinds.of(spec).maps]
        pixels, self.rest = self._split(layout)
        self.shapes = {place: read_shapes if place == IMAGE else shapes for place in pixels}
        areas = {place: known.astype(np.int64).prod(axis=1) for place, known in self.shapes.items()}
        self.starts = {place: np.concatenate([[0], np.cumsum(area)]) for place, area in areas.items()}
        self.channels = {place: spec.shape[-1] for place, spec in pixels.items()}
        self.dtypes = {place: spec.dtype for place, spec in pixels.items()}
        self.arrays: dict[Place, np.ndarray] = {}
        self.rows: list[np.ndarray] = []

    def _split(self, sample: Tree) -> tuple[dict[Place, Any], Tree]:
        """Part a sample into its pixels, image and maps, and the rest."""
        labels, pixels = dict(sample["labels"]), {IMAGE: sample["image"]}
        for name, key in self.maps:
            label = labels.pop(name)
            pixels[name, key] = label[key] if key else label
            if key:
                labels[name] = {other: value for other, value in label.items() if other != key}
        return pixels, {"labels": labels, "weights": sample["weights"]}

    @property
    def nbytes(self) -> int:
        """Bytes that all samples take."""
        row = sum(spec.shape.num_elements() * spec.dtype.size for spec in tf.nest.flatten(self.rest))
        pixels = [int(self.starts[place][-1]) * n * self.dtypes[place].size for place, n in self.channels.items()]
        return sum(pixels) + len(self.shapes[IMAGE]) * row

    def allocate(self) -> None:
        """Make room for all samples."""
        numbers = {place: dtype.as_numpy_dtype for place, dtype in self.dtypes.items()}
        self.arrays = {p: np.zeros(self.starts[p][-1] * count, numbers[p]) for p, count in self.channels.items()}
        specs = tf.nest.flatten(self.rest)
        self.rows = [np.zeros([len(self.shapes[IMAGE]), *spec.shape], spec.dtype.as_numpy_dtype) for spec in specs]

    def put(self, index: int, sample: Tree) -> None:
        """Keep one sample."""
        pixels, rest = self._split(sample)
        for place, value in pixels.items():
            self._pixels(place, index)[...] = value
        for row, value in zip(self.rows, tf.nest.flatten(rest), strict=True):
            row[index] = value

    def get(self, index: int) -> Tree:
        """Return a sample that was kept, of arrays."""
        rest = tf.nest.pack_sequence_as(self.rest, [row[index] for row in self.rows])
        labels: Tree = rest["labels"]
        for (name, key), values in ((place, self._pixels(place, index)) for place in self.maps):
            labels[name] = {**labels.get(name, {}), key: values} if key else values
        return {"image": self._pixels(IMAGE, index), "labels": labels, "weights": rest["weights"]}

    def _pixels(self, place: Place, index: int) -> np.ndarray:
        start, end = self.starts[place][index : index + 2] * self.channels[place]
        return self.arrays[place][start:end].reshape(*self.shapes[place][index], self.channels[place])

    def freeze(self, placed: bool) -> Reader:
        """Return what reads the samples back; nothing more can be put."""
        alike = {place: known[0] if (known == known[0]).all() else None for place, known in self.shapes.items()}
        with tf.device("CPU"):
            starts = {place: tf.constant(known) for place, known in self.starts.items()}
            shapes = {place: tf.constant(known) for place, known in self.shapes.items()}
            arrays = {place: tf.constant(self.arrays.pop(place)) for place in self.channels}
            rows = [tf.constant(self.rows.pop(0)) for _ in tf.nest.flatten(self.rest)]
        for place, shape in alike.items():
            if shape is not None:
                arrays[place] = tf.reshape(arrays[place], [-1, *shape, self.channels[place]])

        def pixels(place: Place, index: tf.Tensor) -> tf.Tensor:
            if alike[place] is not None:
                return tf.gather(arrays[place], index)
            channels = self.channels[place]
            start, end = (tf.gather(starts[place], index + one) * channels for one in (0, 1))
            shape = tf.concat([tf.gather(shapes[place], index), [channels]], axis=0)
            values = tf.reshape(arrays[place][start:end], shape)
            return tf.ensure_shape(values, [None, None, channels])

        def read(index: tf.Tensor) -> Tree:
            labels: Tree = {}
            for name, key in self.maps:
                values = pixels((name, key), index)
                labels[name] = {**labels.get(name, {}), key: values} if key else values
            return {"image": pixels(IMAGE, index), "labels": labels}

        def complete(batch: Tree, indices: tf.Tensor) -> Tree:
            rest = tf.nest.pack_sequence_as(self.rest, [tf.gather(row, indices) for row in rows])
            labels = {**batch["labels"], **rest["labels"]}
            labels |= {name: {**batch["labels"][name], **labels[name]} for name, key in self.maps if key}
            return {"image": batch["image"], "labels": labels, "weights": rest["weights"]}

        return Reader(read, complete, placed)
