"""A class for every pixel: a mask of class ids, 255 where a pixel is neither learnt nor counted."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from pipelines.kinds import features
from pipelines.kinds.kind import Change, Count, Kind, Label
from pipelines.kinds.spec import IGNORE
from pipelines.pixels import pictures
from pipelines.pixels.geometry import Cut, Placement


class Segmentation(Kind):
    """A mask, uint8 `[h, w, 1]` of a sample and int32 `[B, H, W]` of a batch."""

    maps: ClassVar[Mapping[str, float]] = {"": IGNORE}
    pixel_bytes = 0.05
    unit = "pixels"

    def unlabelled(self, shape: tf.Tensor, rows: int) -> Label:
        return tf.ensure_shape(tf.fill([shape[0], shape[1], 1], tf.constant(IGNORE, tf.uint8)), [None, None, 1])

    def mapped(self, names: Sequence[str | None]) -> Change:
        table = np.full(IGNORE + 1, IGNORE - 1)  # a value that is no class stays none, to be found out
        table[: len(names)] = self.ids(names, IGNORE)
        table[IGNORE] = IGNORE
        values = tf.constant(table, tf.uint8)
        return lambda mask, weight: (tf.gather(values, tf.cast(mask, tf.int32)), weight)

    def move(self, label: Label, placement: Placement, size: tuple[int, int], cut: Cut | None, turned: bool) -> Label:
        return label

    def finish(self, label: Label, zoom: tf.Tensor | None) -> Label:
        return tf.cast(super().finish(label, zoom), tf.int32)

    @property
    def paints(self) -> bool:
        return True

    def is_wrong(self, label: Label) -> bool:
        values = np.arange(IGNORE + 1)
        return bool(((values >= len(self.classes)) & (values != IGNORE))[label].any())

    def count(self, label: Label) -> Count:
        pixels = np.bincount(label.ravel(), minlength=IGNORE + 1)
        return Count(pixels[: len(self.classes)], int(pixels[IGNORE]))

    def features(self) -> dict[str, Any]:
        return {"mask": tf.io.FixedLenFeature([], tf.string)}

    def write(self, label: Label) -> dict[str, tf.train.Feature]:
        return {"mask": features.text(pictures.png(label[..., 0]))}

    def read(self, values: Mapping[str, tf.Tensor], shape: tf.Tensor, rows: int) -> Label:
        return tf.ensure_shape(tf.io.decode_png(values["mask"], channels=1), [None, None, 1])
