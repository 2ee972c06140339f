"""Samples kept in memory, so that later epochs decode nothing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pipelines.contract import Tree
from pipelines.samples.reading import Read


@dataclass(frozen=True)
class Reader:
    """How samples are read while training.

    Attributes:
        read: from a scalar index to a sample, in graph, perhaps of pixels only.
        complete: from a batch of those and its indices `[B]` to a batch of whole samples.
        placed: whether pixels and boxes are in place already, as `Batching.place_whole` leaves them.
    """

    read: Read
    complete: Callable[[Tree, tf.Tensor], Tree] = lambda batch, indices: batch
    placed: bool = False


class Memory:
    """Samples of one split: images and maps end to end, as they may differ in size; all else as a row each.

    Args:
        layout: the sample as a tree of `tf.TensorSpec`s; maps are its labels of shape `[h, w, 1]`: masks and depth.
        shapes: int32 `[N, 2]`, height and width of each image's maps.
        read_shapes: int32 `[N, 2]`, height and width of each image.
    """

    def __init__(self, layout: Tree, shapes: np.ndarray, read_shapes: np.ndarray):
        self.maps = [name for name, spec in layout["labels"].items() if len(getattr(spec, "shape", ())) == 3]
        pixels, self.rest = self._split(layout)
        self.shapes = {name: read_shapes if name == "image" else shapes for name in pixels}
        areas = {name: known.astype(np.int64).prod(axis=1) for name, known in self.shapes.items()}
        self.starts = {name: np.concatenate([[0], np.cumsum(area)]) for name, area in areas.items()}
        self.channels = {name: spec.shape[-1] for name, spec in pixels.items()}
        self.dtypes = {name: spec.dtype for name, spec in pixels.items()}
        self.arrays: dict[str, np.ndarray] = {}
        self.rows: list[np.ndarray] = []

    def _split(self, sample: Tree) -> tuple[Tree, Tree]:
        """Part a sample into its pixels (image and maps by name) and the rest."""
        labels = dict(sample["labels"])
        pixels = {name: labels.pop(name) for name in self.maps}
        return {"image": sample["image"], **pixels}, {"labels": labels, "weights": sample["weights"]}

    @property
    def nbytes(self) -> int:
        """Bytes that all samples take."""
        row = sum(spec.shape.num_elements() * spec.dtype.size for spec in tf.nest.flatten(self.rest))
        pixels = [int(self.starts[name][-1]) * n * self.dtypes[name].size for name, n in self.channels.items()]
        return sum(pixels) + len(self.shapes["image"]) * row

    def allocate(self) -> None:
        """Make room for all samples."""
        kinds = {name: dtype.as_numpy_dtype for name, dtype in self.dtypes.items()}
        self.arrays = {n: np.zeros(self.starts[n][-1] * count, kinds[n]) for n, count in self.channels.items()}
        specs = tf.nest.flatten(self.rest)
        self.rows = [np.zeros([len(self.shapes["image"]), *spec.shape], spec.dtype.as_numpy_dtype) for spec in specs]

    def put(self, index: int, sample: Tree) -> None:
        """Keep one sample."""
        pixels, rest = self._split(sample)
        for name, value in pixels.items():
            start, end = self.starts[name][index : index + 2] * self.channels[name]
            self.arrays[name][start:end] = value.reshape(-1)
        for row, value in zip(self.rows, tf.nest.flatten(rest), strict=True):
            row[index] = value

    def freeze(self, placed: bool) -> Reader:
        """Return what reads the samples back; nothing more can be put."""
        alike = {name: one[0] if (one == one[0]).all() else None for name, one in self.shapes.items()}
        with tf.device("CPU"):
            starts = {name: tf.constant(one) for name, one in self.starts.items()}
            shapes = {name: tf.constant(one) for name, one in self.shapes.items()}
            arrays = {name: tf.constant(self.arrays.pop(name)) for name in self.channels}
            rows = [tf.constant(self.rows.pop(0)) for _ in tf.nest.flatten(self.rest)]
        for name, shape in alike.items():
            if shape is not None:
                arrays[name] = tf.reshape(arrays[name], [-1, *shape, self.channels[name]])

        def pixels(name: str, index: tf.Tensor) -> tf.Tensor:
            if alike[name] is not None:
                return tf.gather(arrays[name], index)
            channels = self.channels[name]
            start, end = starts[name][index] * channels, starts[name][index + 1] * channels
            image = tf.reshape(arrays[name][start:end], tf.concat([shapes[name][index], [channels]], axis=0))
            return tf.ensure_shape(image, [None, None, channels])

        def read(index: tf.Tensor) -> Tree:
            labels = {name: pixels(name, index) for name in self.maps}
            return {"image": pixels("image", index), "labels": labels}

        def complete(batch: Tree, indices: tf.Tensor) -> Tree:
            rest = tf.nest.pack_sequence_as(self.rest, [tf.gather(row, indices) for row in rows])
            return {
                "image": batch["image"],
                "labels": {**batch["labels"], **rest["labels"]},
                "weights": rest["weights"],
            }

        return Reader(read, complete, placed)
