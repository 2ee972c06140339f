"""A class for every pixel, by the segment that it is of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.files.masks.meanings import NO_CLASS, stopped
from pipelines.sources.tfds.labels.label import Label, Reader, Row, sample, value_at
from pipelines.sources.tfds.records import Prepared

THINGS = 80  # of COCO's 133 panoptic categories the first 80 are things, that can be counted; the rest is stuff


@dataclass(frozen=True)
class Panoptic(Label):
    """A class for every pixel, by an image whose colours are the numbers of segments: things, and each kind of stuff.

    Args:
        feature: path of the image; a segment's number is red + 256 green + 65536 blue, and 0 is unlabelled.
        segments: path of the sequence that has each segment's `id` and `label`.
        things: of the segments' classes the first so many are things, which all become class 0.
    """

    feature: str
    segments: str
    things: int = THINGS
    kind = "segmentation"

    @property
    def dense(self) -> str:
        return self.feature

    @property
    def large(self) -> tuple[str, ...]:
        return (self.feature, f"{self.segments}.id", f"{self.segments}.label")

    def classes(self, data: Prepared) -> tuple[str, ...]:
        return ("things", *data.feature(f"{self.segments}.label").names[self.things :])

    def reader(self, rows: Sequence[Row], spec: LabelSpec, max_boxes: int, trusted: bool) -> Reader:
        def read(index: tf.Tensor, example: Mapping[str, Any]) -> tuple[tf.Tensor, tf.Tensor]:
            numbers = tf.tensordot(tf.cast(value_at(example, self.feature), tf.int32), tf.constant([1, 256, 65536]), 1)
            ids = tf.cast(value_at(example, f"{self.segments}.id"), tf.int32)
            classes = tf.cast(value_at(example, f"{self.segments}.label"), tf.int32) - self.things + 1
            order = tf.argsort(ids)
            ids = tf.concat([tf.gather(ids, order), [2**31 - 1]], axis=0)  # one more, lest there be none
            classes = tf.concat([tf.maximum(tf.gather(classes, order), 0), [IGNORE]], axis=0)
            place = tf.reshape(tf.searchsorted(ids, tf.reshape(numbers, [-1])), tf.shape(numbers))
            unknown = tf.where(numbers == 0, IGNORE, NO_CLASS)
            known = tf.where(tf.gather(ids, place) == numbers, tf.gather(classes, place), unknown)
            mask = tf.cast(known, tf.uint8)[..., None]
            whose = sample(index, self.feature)
            return stopped(mask, len(spec.classes), whose) if trusted else mask, tf.constant(1.0)

        return read

    def mistake(self, example: Mapping[str, Any]) -> str | None:
        numbers = value_at(example, self.feature).numpy().astype(int) @ [1, 256, 65536]
        strange = set(numbers.ravel().tolist()) - {0} - set(value_at(example, f"{self.segments}.id").numpy().tolist())
        return f"shows segment {min(strange)}, which is not among its segments" if strange else None
