"""How far away every pixel is: metres, 0 or NaN where it is unknown."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError
from pipelines.kinds import features
from pipelines.kinds.kind import Change, Count, Kind, Label
from pipelines.kinds.spec import NO_DEPTH
from pipelines.pixels.geometry import Cut, Placement


class Depth(Kind):
    """A map, float32 `[h, w, 1]` of a sample and `[B, H, W]` of a batch; what is seen larger is nearer by as much."""

    maps: ClassVar[Mapping[str, float]] = {"": NO_DEPTH}
    pixel_bytes = 2.0
    unit = "pixels"

    def check(self) -> None:
        if self.classes:
            raise DataError(f"Task '{self.spec.name}' is of depth and has no classes, not {list(self.classes)}.")

    def unlabelled(self, shape: tf.Tensor, rows: int) -> Label:
        return tf.ensure_shape(tf.fill([shape[0], shape[1], 1], NO_DEPTH), [None, None, 1])

    def mapped(self, names: Sequence[str | None]) -> Change:
        return lambda label, weight: (label, weight)  # there are no classes

    def move(self, label: Label, placement: Placement, size: tuple[int, int], cut: Cut | None, turned: bool) -> Label:
        return label

    def zoomed(self, label: Label, zoom: tf.Tensor) -> Label:
        return label / zoom[:, None, None, None]

    def count(self, label: Label) -> Count:
        return Count(np.zeros(0, np.int64), int((~(np.isfinite(label) & (label > 0))).sum()))

    def features(self) -> dict[str, Any]:
        return {"depth": tf.io.FixedLenFeature([], tf.string)}

    def write(self, label: Label) -> dict[str, tf.train.Feature]:
        return {"depth": features.text(zlib.compress(label.astype("<f4").tobytes(), 1))}

    def read(self, values: Mapping[str, tf.Tensor], shape: tf.Tensor, rows: int) -> Label:
        metres = tf.io.decode_raw(tf.io.decode_compressed(values["depth"], "ZLIB"), tf.float32)
        return tf.ensure_shape(tf.reshape(metres, tf.concat([shape, [1]], axis=0)), [None, None, 1])
