"""How far away every pixel is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from pipelines.kinds.spec import LabelSpec
from pipelines.sources.tfds.labels.label import Label, Reader, Row, value_at


@dataclass(frozen=True)
class Depth(Label):
    """How far away every pixel is, by the tensor or image at `feature`, whose unit is `metres`; 0 is unknown."""

    feature: str
    metres: float = 1.0
    kind = "depth"

    @property
    def dense(self) -> str:
        return self.feature

    def reader(self, rows: Sequence[Row], spec: LabelSpec, max_boxes: int, trusted: bool) -> Reader:
        def read(index: tf.Tensor, example: Mapping[str, Any]) -> tuple[tf.Tensor, tf.Tensor]:
            depth = tf.cast(value_at(example, self.feature), tf.float32) * self.metres
            return depth if len(depth.shape) == 3 else depth[..., None], tf.constant(1.0)

        return read
