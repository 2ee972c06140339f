"""What a feature of a TFDS data set means: each class here turns one into the labels of a task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.files import labels as of_files
from pipelines.sources.files.entries import Annotation
from pipelines.sources.tfds.records import Prepared

NO_CLASS = IGNORE - 1  # what a value of a mask that means nothing becomes, to be found out
THINGS = 80  # of COCO's 133 panoptic categories the first 80 are things, that can be counted; the rest is stuff


Reader = Callable[[tf.Tensor, Mapping[str, Any]], tuple[Any, tf.Tensor]]


@dataclass(frozen=True)
class Row:
    """One example without its pixels.

    Attributes:
        shape: height and width in pixels.
        values: the small features by path.
        objects: its boxes, `[]` where it has none; None where they are not known.
        presence: None: which classes it has follows from its boxes.
    """

    shape: tuple[int, int]
    values: Mapping[str, Any]
    objects: list[Annotation] | None
    presence: Mapping[str, float] | None = None


class Label:
    """How the labels of one task are read; `kind` is theirs, as in `LabelSpec`."""

    kind: ClassVar[str]

    @property
    def small(self) -> tuple[str, ...]:
        """Paths of the features that are read once, with all examples."""
        return ()

    @property
    def dense(self) -> str | None:
        """Path of the feature that has a value for every pixel."""
        return None

    @property
    def large(self) -> tuple[str, ...]:
        """Paths of the features that are read with the pixels, in graph."""
        return (self.dense,) if self.dense else ()

    def classes(self, data: Prepared) -> tuple[str, ...]:
        """Return the class names."""
        return ()

    def reader(self, rows: Sequence[Row], spec: LabelSpec, max_boxes: int, trusted: bool) -> Reader:
        """Return the function from an index and the large features to a label and its weight, in graph.

        Args:
            rows: the examples.
            spec: of the labels.
            max_boxes: rows of boxes per image.
            trusted: nobody checks the values of masks: those that are no class are ignored.
        """
        raise NotImplementedError

    def mistake(self, example: Mapping[str, Any]) -> str | None:
        """Say which value of a decoded example is no label, as in "has the value 9"."""
        return None


@dataclass(frozen=True)
class Category(Label):
    """One class an image: the `ClassLabel` at `feature`; -1 is unknown.

    `text` is a feature that spells the class out, for data sets that number their classes only.
    """

    feature: str
    text: str | None = None
    kind = "classification"

    @property
    def small(self):
        return (self.feature,)

    def classes(self, data):
        label = data.feature(self.feature)
        if self.text is None:
            return tuple(label.names)
        names = [str(number) for number in range(label.num_classes)]
        spelt: set[int] = set()
        features = data.reduced([self.feature, self.text])
        for split in data.splits:  # the whole set, whatever is asked for: the names must always be the same
            records = data.records(split)
            for index in range(len(records)):
                if len(spelt) == len(names):
                    break
                example = features.deserialize_example_np(records[index])
                spelt.add(example[self.feature])
                names[example[self.feature]] = example[self.text].decode()
        return tuple(names)

    def reader(self, rows, spec, max_boxes, trusted):
        labels = np.array([row.values[self.feature] for row in rows], np.int32)
        classes, weights = tf.constant(np.maximum(labels, 0)), tf.constant((labels >= 0).astype(np.float32))
        return lambda index, example: (classes[index], weights[index])


@dataclass(frozen=True)
class Boxes(Label):
    """Objects, by `box`, the path of a `BBoxFeature` or of a sequence of them.

    A box of zeros that stands alone is one that nobody drew: its image is unlabelled.

    Args:
        label: path of their `ClassLabel`s; None where all are of the one class of `names`.
        names: that class.
        ignore: path of the flags of those that are neither learnt nor counted, such as crowds.
        from_below: the boxes count y from the lower edge.
        things: of the classes of `label` the first so many; objects of the others are no boxes. None for all.
    """

    box: str
    label: str | None = None
    names: tuple[str, ...] = ()
    ignore: str | None = None
    from_below: bool = False
    things: int | None = None
    kind = "detection"

    @property
    def small(self):
        return tuple(path for path in (self.box, self.label, self.ignore) if path)

    def classes(self, data):
        return tuple(data.feature(self.label).names[: self.things] if self.label else self.names)

    def found(self, values: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """Return corners `[N, 4]` in 0..1 as x_min, y_min, x_max, y_max, class ids, ignored flags, and if known."""
        corners = np.asarray(values[self.box], np.float64)
        known = corners.ndim > 1 or not corners.size or bool((corners != 0).any())  # one box of zeros is none at all
        corners = (corners if known else np.zeros((0, 4))).reshape(-1, 4)
        y_min, x_min, y_max, x_max = corners.T
        if self.from_below:
            y_min, y_max = 1 - y_max, 1 - y_min
        corners = np.stack([x_min, y_min, x_max, y_max], axis=1)
        count = len(corners)
        ids = np.asarray(values[self.label]).reshape(-1)[:count] if self.label else np.zeros(count, int)
        ignored = np.asarray(values[self.ignore], bool).reshape(-1)[:count] if self.ignore else np.zeros(count, bool)
        counted = ids < (self.things or len(self.names) or np.inf)
        return corners[counted], ids[counted], ignored[counted], known

    def reader(self, rows, spec, max_boxes, trusted):
        read = of_files.boxes(rows, spec, max_boxes)
        return lambda index, example: read(index)


@dataclass(frozen=True)
class Presence(Label):
    """Which classes an image's boxes show, `boxes` being those of the same data set."""

    boxes: Boxes
    kind = "multi_label"

    @property
    def small(self):
        return self.boxes.small

    def classes(self, data):
        return self.boxes.classes(data)

    def reader(self, rows, spec, max_boxes, trusted):
        read = of_files.presence(rows, spec)
        return lambda index, example: read(index)


@dataclass(frozen=True)
class Mask(Label):
    """A class for every pixel, by the image at `feature`.

    Args:
        names: the classes.
        values: from the image's values to class ids, or 255 for those to be ignored; None where they are the ids. Any
            other value is a mistake in the data.
    """

    feature: str
    names: tuple[str, ...]
    values: Mapping[int, int] | None = None
    kind = "segmentation"

    @property
    def dense(self):
        return self.feature

    def classes(self, data):
        return tuple(self.names)

    def table(self) -> np.ndarray:
        """Return the class id of every value: uint8 `[256]`."""
        table = np.full(IGNORE + 1, NO_CLASS, np.uint8)
        values = {id_: id_ for id_ in (*range(len(self.names)), IGNORE)} if self.values is None else self.values
        table[list(values)] = list(values.values())
        return table

    def reader(self, rows, spec, max_boxes, trusted):
        table = self.table()
        table = tf.constant(np.where(table == NO_CLASS, IGNORE, table) if trusted else table)
        return lambda index, example: (
            tf.gather(table, tf.cast(value(example, self.feature), tf.int32)),
            tf.constant(1.0),
        )

    def mistake(self, example):
        values = np.unique(value(example, self.feature))
        wrong = values[self.table()[values] == NO_CLASS]
        known = range(len(self.names)) if self.values is None else self.values
        return f"has the value {wrong[0]}: expected one of {', '.join(map(str, known))}" if len(wrong) else None


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
    def dense(self):
        return self.feature

    @property
    def large(self):
        return (self.feature, f"{self.segments}.id", f"{self.segments}.label")

    def classes(self, data):
        return ("things", *data.feature(f"{self.segments}.label").names[self.things :])

    def reader(self, rows, spec, max_boxes, trusted):
        def read(index: tf.Tensor, example: Mapping[str, Any]) -> tuple[tf.Tensor, tf.Tensor]:
            numbers = tf.tensordot(tf.cast(value(example, self.feature), tf.int32), tf.constant([1, 256, 65536]), 1)
            ids = tf.cast(value(example, f"{self.segments}.id"), tf.int32)
            classes = tf.cast(value(example, f"{self.segments}.label"), tf.int32) - self.things + 1
            order = tf.argsort(ids)
            ids = tf.concat([tf.gather(ids, order), [2**31 - 1]], axis=0)  # one more, lest there be none
            classes = tf.concat([tf.maximum(tf.gather(classes, order), 0), [IGNORE]], axis=0)
            place = tf.reshape(tf.searchsorted(ids, tf.reshape(numbers, [-1])), tf.shape(numbers))
            unknown = tf.where((numbers == 0) | trusted, IGNORE, NO_CLASS)
            found = tf.where(tf.gather(ids, place) == numbers, tf.gather(classes, place), unknown)
            return tf.cast(found, tf.uint8)[..., None], tf.constant(1.0)

        return read

    def mistake(self, example):
        numbers = value(example, self.feature).numpy().astype(int) @ [1, 256, 65536]
        strange = set(numbers.ravel().tolist()) - {0} - set(value(example, f"{self.segments}.id").numpy().tolist())
        return f"shows segment {min(strange)}, which is not among its segments" if strange else None


@dataclass(frozen=True)
class Depth(Label):
    """How far away every pixel is, by the tensor or image at `feature`, whose unit is `metres`; 0 is unknown."""

    feature: str
    metres: float = 1.0
    kind = "depth"

    @property
    def dense(self):
        return self.feature

    def reader(self, rows, spec, max_boxes, trusted):
        def read(index: tf.Tensor, example: Mapping[str, Any]) -> tuple[tf.Tensor, tf.Tensor]:
            depth = tf.cast(value(example, self.feature), tf.float32) * self.metres
            return depth if len(depth.shape) == 3 else depth[..., None], tf.constant(1.0)

        return read


def value(example: Mapping[str, Any], path: str) -> Any:
    """Return the value of an example at a path such as `"objects.bbox"`."""
    found: Any = example
    for part in path.split("."):
        found = found[part]
    return found
