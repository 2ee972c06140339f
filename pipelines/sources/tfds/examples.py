"""The examples of a TFDS split: looked at once for sizes and boxes, then read by their number, in graph."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from PIL import Image

from pipelines.contract import Original, Tree
from pipelines.errors import DataError, Problems
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.files.entries import Annotation, corners
from pipelines.sources.tfds.adapters import Adapter
from pipelines.sources.tfds.labels import Boxes, Label, Presence
from pipelines.sources.tfds.labels.label import Row, value_at
from pipelines.sources.tfds.records import Prepared


class Examples:
    """The examples of one split.

    Args:
        data: the data set.
        slice_: of it, as `"train[:90%]"`.
        adapter: says what is what.
        labels: those of its labels that are wanted, by task.
        problems: told of each example or box that cannot be used, which is left out.

    Attributes:
        rows: what is known of each example that can be used.
    """

    def __init__(self, data: Prepared, slice_: str, adapter: Adapter, labels: Mapping[str, Label], problems: Problems):
        self.data, self.slice, self.adapter, self.labels = data, slice_, adapter, labels
        self.records = data.records(slice_)
        self.dense = [adapter.image, *(label.dense for label in labels.values() if label.dense)]
        self.sizes = {path: _fixed_size(data.feature(path)) for path in self.dense}
        self.small = list(dict.fromkeys(path for label in labels.values() for path in label.small))
        sought = (label.boxes if isinstance(label, Presence) else label for label in labels.values())
        self.boxes = next((label for label in sought if isinstance(label, Boxes)), None)
        self.categories = self.boxes.classes(data) if self.boxes else ()
        if self.boxes:
            _check_format(data, self.boxes.box)
        self.rows, self.numbers = self._look(problems)

    def _look(self, problems: Problems) -> tuple[list[Row], list[int]]:
        """Return what is known of each example that can be used, and its number among the records."""
        encoded = [path for path, size in self.sizes.items() if size is None]
        if not encoded and not self.small:
            row = Row(self._shape({}), {}, [])
            return [row] * len(self.records), list(range(len(self.records)))
        import tensorflow_datasets as tfds

        named = [self.adapter.file_name] if self.adapter.file_name else []
        features = self.data.reduced([*encoded, *self.small, *named])
        decoders = {path: tfds.decode.SkipDecoding() for path in encoded}
        rows, numbers = [], []
        for number in range(len(self.records)):
            name = f"example {number}"
            try:
                example = features.deserialize_example_np(self.records[number], decoders=decoders)
                name = value_at(example, named[0]).decode() if named else name
                shape = self._shape(example)
            except (DecodeError, OSError, ValueError, TypeError) as error:
                problems.report(self._tell(f"{error} ('{name}')"))
                continue
            values = {path: value_at(example, path) for path in self.small}
            rows.append(Row(shape, values, self._annotations(values, shape, name, problems)))
            numbers.append(number)
        return rows, numbers

    def _shape(self, example: Mapping[str, Any]) -> tuple[int, int]:
        """Return height and width of the picture of an example; a ValueError says that a map has others."""
        sizes = {path: size or _encoded_size(value_at(example, path)) for path, size in self.sizes.items()}
        shape = sizes[self.adapter.image]
        for path, size in sizes.items():
            if size != shape:
                raise ValueError(
                    f"its '{path}' is {size[1]} x {size[0]}, but its '{self.adapter.image}' is {shape[1]} x {shape[0]}"
                )
        return shape

    def _annotations(
        self, values: Mapping[str, Any], shape: tuple[int, int], name: str, problems: Problems
    ) -> list[Annotation] | None:
        """Return the boxes of an example in pixels; None where they are not known."""
        if self.boxes is None:
            return []
        found, ids, ignored, known = self.boxes.corners(values)
        annotations = []
        for box, class_, crowd in zip(found * [*shape[::-1], *shape[::-1]], ids, ignored, strict=True):
            x_min, y_min, x_max, y_max = box.tolist()
            if crowd and not (x_max > x_min and y_max > y_min):
                continue  # ignores nothing
            try:
                if not 0 <= class_ < len(self.categories):
                    raise ValueError(f"class {class_} is not one of {len(self.categories)}")
                box = corners((x_min, y_min, x_max, y_max), shape)
            except ValueError as error:
                problems.report(self._tell(f"{error} ('{name}')"))
                continue
            annotations.append(Annotation(box, self.categories[class_], bool(crowd)))
        return annotations if known else None

    def reader(self, specs: Sequence[LabelSpec], max_boxes: int, trusted: bool) -> Callable[[tf.Tensor], Tree]:
        """Return the function from an index to a sample, in graph; see `Split.read`."""
        large = [path for label in self.labels.values() for path in label.large]
        features = self.data.reduced(dict.fromkeys([self.adapter.image, *large]))
        numbers = np.array(self.numbers, np.int64)
        readers = {s.name: self.labels[s.name].reader(self.rows, s, max_boxes, trusted) for s in specs}

        def record(index: np.int64) -> bytes:
            return self.records[int(numbers[index])]

        def read(index: tf.Tensor) -> Tree:
            example = features.deserialize_example(tf.ensure_shape(tf.numpy_function(record, [index], tf.string), []))
            image = value_at(example, self.adapter.image)
            if image.shape[-1] == 1:
                image = tf.image.grayscale_to_rgb(image)
            pairs = {name: reader(index, example) for name, reader in readers.items()}
            return {
                "image": tf.ensure_shape(image, [None, None, 3]),
                "labels": {name: label for name, (label, _) in pairs.items()},
                "weights": {name: weight for name, (_, weight) in pairs.items()},
            }

        return read

    def encoded(self, index: int) -> bytes | None:
        """Return the file of a picture, where the data set keeps it as one."""
        import tensorflow_datasets as tfds

        path = self.adapter.image
        if not isinstance(self.data.feature(path), tfds.features.Image):
            return None
        features, record = self.data.reduced([path]), self.records[self.numbers[index]]
        return value_at(features.deserialize_example_np(record, decoders={path: tfds.decode.SkipDecoding()}), path)

    def original(self, index: int) -> Original:
        """Return the objects of an example, where it has boxes."""
        return Original(None, self.rows[index].objects if self.boxes is not None else None)

    def diagnose(self, index: int) -> str:
        """Say why an example cannot be read, or which value of its mask is no class."""
        number = self.numbers[index]
        record, name = self.records[number], f"example {number}"
        try:
            if self.adapter.file_name:
                path = self.adapter.file_name
                name = value_at(self.data.reduced([path]).deserialize_example_np(record), path).decode()
            for path in self.dense:
                try:
                    self.data.reduced([path]).deserialize_example(record)
                except tf.errors.OpError:
                    return self._tell(f"'{path}' is truncated or damaged ('{name}')")
            for label in filter(lambda label: label.large, self.labels.values()):
                mistake = label.mistake(self.data.reduced(label.large).deserialize_example(record))
                if mistake:
                    return self._tell(f"'{label.dense}' {mistake} ('{name}')")
        except (DecodeError, ValueError, TypeError) as error:
            return self._tell(f"{error} ('{name}')")
        return self._tell(f"the example cannot be read ('{name}')")

    def _tell(self, what: str) -> str:
        return f"TFDS data set '{self.data.name}', {self.slice}: {what}."


def _check_format(data: Prepared, path: str) -> None:
    """Refuse boxes that are not TFDS's usual ones, in fractions of the picture and y before x."""
    form = getattr(data.feature(path), "bbox_format", None)
    if form is not None and form.name != "REL_YXYX":
        raise DataError(f"TFDS data set '{data.name}' has boxes of format {form.name} in '{path}', expected REL_YXYX.")


def _fixed_size(feature: Any) -> tuple[int, int] | None:
    """Return height and width of an image or map if they are the same in every example."""
    height, width = feature.shape[:2]
    return (height, width) if height and width else None


def _encoded_size(encoded: bytes) -> tuple[int, int]:
    """Return height and width of an encoded image by its header; an OSError says that it is none."""
    with Image.open(io.BytesIO(encoded)) as picture:
        return picture.height, picture.width
