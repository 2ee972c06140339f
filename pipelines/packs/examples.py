"""One sample as a `tf.train.Example`: written in Python, read in graph.

Its features are `name`, `image` (JPEG or PNG) and, of every task, `<task>/weight` and what the kind of its label
writes: `<task>/label` (a class id, or a number per class), `<task>/boxes` (corners, end to end) and `<task>/classes`,
`<task>/mask` (PNG), `<task>/depth` (zlib of float32, row by row).
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from pipelines import kinds
from pipelines.contract import Tree
from pipelines.kinds import features
from pipelines.kinds.spec import LabelSpec
from pipelines.pixels import pictures


def write(name: str, image: bytes, sample: Tree, specs: Sequence[LabelSpec]) -> bytes:
    """Return a serialized Example.

    Args:
        name: what the sample is called.
        image: its picture as JPEG or PNG.
        sample: the arrays that `Split.read` gives.
        specs: what its labels mean.
    """
    known = {"name": features.text(name.encode(errors="surrogateescape")), "image": features.text(image)}
    for spec in specs:
        known[f"{spec.name}/weight"] = features.floats(sample["weights"][spec.name])
        label = kinds.of(spec).write(sample["labels"][spec.name])
        known |= {f"{spec.name}/{key}": value for key, value in label.items()}
    return tf.train.Example(features=tf.train.Features(feature=known)).SerializeToString(deterministic=True)


def picture(encoded: bytes | None, image: np.ndarray) -> bytes:
    """Return the file of a picture if it is read as exactly these pixels, else a PNG of them.

    Args:
        encoded: a JPEG or PNG file, or None.
        image: uint8 `[h, w, 3]`.
    """
    if encoded is not None:
        try:
            if np.array_equal(_decoded(tf.constant(encoded)).numpy(), image):
                return encoded
        except tf.errors.OpError:
            pass
    return pictures.png(image)


def encoded(record: bytes) -> bytes:
    """Return the JPEG or PNG file of the picture in a serialized Example."""
    return tf.train.Example.FromString(record).features.feature["image"].bytes_list.value[0]


def read(record: tf.Tensor, specs: Sequence[LabelSpec], max_boxes: int) -> Tree:
    """Return the sample of a serialized Example, in graph, as `Split.read` does.

    Args:
        record: scalar string.
        specs: of the labels that are wanted.
        max_boxes: rows of boxes; those written last are left out.
    """
    labels, parsed = {spec.name: kinds.of(spec) for spec in specs}, {"image": tf.io.FixedLenFeature([], tf.string)}
    for name, kind in labels.items():
        parsed[f"{name}/weight"] = tf.io.FixedLenFeature([], tf.float32)
        parsed |= {f"{name}/{key}": feature for key, feature in kind.features().items()}
    values = tf.io.parse_single_example(record, parsed)
    image = tf.ensure_shape(_decoded(values["image"]), [None, None, 3])
    shape = tf.shape(image)[:2]

    def label(name: str, kind: kinds.Kind) -> Tree | tf.Tensor:
        return kind.read({key: values[f"{name}/{key}"] for key in kind.features()}, shape, max_boxes)

    return {
        "image": image,
        "labels": {name: label(name, kind) for name, kind in labels.items()},
        "weights": {name: values[f"{name}/weight"] for name in labels},
    }


def _decoded(encoded: tf.Tensor) -> tf.Tensor:
    return pictures.from_bytes(encoded)
