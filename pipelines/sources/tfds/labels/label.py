"""What every meaning of a feature answers: how the labels of one task are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf

from pipelines.kinds.spec import LabelSpec
from pipelines.sources.files.entries import Annotation
from pipelines.sources.tfds.records import Prepared

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
            trusted: nobody checks the values of masks: one that is no class stops the reading.
        """
        raise NotImplementedError

    def mistake(self, example: Mapping[str, Any]) -> str | None:
        """Say which value of a decoded example is no label, as in "has the value 9"."""
        return None


def value_at(example: Mapping[str, Any], path: str) -> Any:
    """Return the value of an example at a path such as `"objects.bbox"`."""
    value: Any = example
    for name in path.split("."):
        value = value[name]
    return value


def sample(index: tf.Tensor, path: str) -> tf.Tensor:
    """Return the words, in graph, for the feature of a sample."""
    return tf.strings.join(["Sample ", tf.strings.as_string(index), ": its '", path, "'"])
