"""One sample as a `tf.train.Example`: written in Python, read in graph.

Its features are `name`, `image` (JPEG or PNG) and, of every task, `<task>/weight` and by the kind of its label
`<task>/label` (a class id, or a number per class), `<task>/boxes` (corners, end to end) and `<task>/classes`,
`<task>/mask` (PNG), or `<task>/depth` (zlib of float32, row by row).
"""

import io
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from pipelines.contract import Tree
from pipelines.kinds.spec import PADDING, LabelSpec


def write(name: str, image: bytes, sample: Tree, specs: Sequence[LabelSpec]) -> bytes:
    """Return a serialized Example.

    Args:
        name: what the sample is called.
        image: its picture as JPEG or PNG.
        sample: the arrays that `Split.read` gives.
        specs: what its labels mean.
    """
    features = {"name": _bytes(name.encode(errors="surrogateescape")), "image": _bytes(image)}
    for spec in specs:
        features[f"{spec.name}/weight"] = _floats(sample["weights"][spec.name])
        features |= {f"{spec.name}/{key}": value for key, value in _label(sample["labels"][spec.name], spec).items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)


def _label(label: Any, spec: LabelSpec) -> dict[str, tf.train.Feature]:
    match spec.kind:
        case "classification":
            return {"label": _integers(label)}
        case "multi_label":
            return {"label": _floats(label)}
        case "detection":
            there = label["classes"] != PADDING
            return {"boxes": _floats(label["boxes"][there]), "classes": _integers(label["classes"][there])}
        case "segmentation":
            return {"mask": _bytes(png(label[..., 0]))}
        case _:
            return {"depth": _bytes(zlib.compress(label.astype("<f4").tobytes(), 1))}


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
    return png(image)


def png(pixels: np.ndarray) -> bytes:
    """Return uint8 `[h, w, 3]`, or `[h, w]`, as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def read(record: tf.Tensor, specs: Sequence[LabelSpec], max_boxes: int) -> Tree:
    """Return the sample of a serialized Example, in graph, as `Split.read` does.

    Args:
        record: scalar string.
        specs: of the labels that are wanted.
        max_boxes: rows of boxes; those written last are left out.
    """
    wanted = {"image": tf.io.FixedLenFeature([], tf.string)}
    for spec in specs:
        wanted[f"{spec.name}/weight"] = tf.io.FixedLenFeature([], tf.float32)
        wanted |= {f"{spec.name}/{key}": feature for key, feature in _features(spec).items()}
    found = tf.io.parse_single_example(record, wanted)
    image = tf.ensure_shape(_decoded(found["image"]), [None, None, 3])
    labels = {}
    for spec in specs:
        values = {key: found[f"{spec.name}/{key}"] for key in _features(spec)}
        labels[spec.name] = _read_label(values, spec, tf.shape(image)[:2], max_boxes)
    return {"image": image, "labels": labels, "weights": {s.name: found[f"{s.name}/weight"] for s in specs}}


def _features(spec: LabelSpec) -> dict[str, Any]:
    """The features of a label that are to be parsed."""
    text, many = tf.io.FixedLenFeature([], tf.string), tf.io.FixedLenSequenceFeature
    match spec.kind:
        case "classification":
            return {"label": tf.io.FixedLenFeature([], tf.int64)}
        case "multi_label":
            return {"label": tf.io.FixedLenFeature([len(spec.classes)], tf.float32)}
        case "detection":
            return {"boxes": many([4], tf.float32, True), "classes": many([], tf.int64, True)}
        case "segmentation":
            return {"mask": text}
        case _:
            return {"depth": text}


def _read_label(values: dict[str, tf.Tensor], spec: LabelSpec, shape: tf.Tensor, max_boxes: int) -> Tree | tf.Tensor:
    match spec.kind:
        case "classification":
            return tf.cast(values["label"], tf.int32)
        case "multi_label":
            return values["label"]
        case "detection":
            boxes, classes = values["boxes"][:max_boxes], tf.cast(values["classes"][:max_boxes], tf.int32)
            after = max_boxes - tf.shape(classes)[0]
            return {
                "boxes": tf.ensure_shape(tf.pad(boxes, [[0, after], [0, 0]]), [max_boxes, 4]),
                "classes": tf.ensure_shape(tf.pad(classes, [[0, after]], constant_values=PADDING), [max_boxes]),
            }
        case "segmentation":
            return tf.ensure_shape(tf.io.decode_png(values["mask"], channels=1), [None, None, 1])
        case _:
            metres = tf.io.decode_raw(tf.io.decode_compressed(values["depth"], "ZLIB"), tf.float32)
            return tf.ensure_shape(tf.reshape(metres, tf.concat([shape, [1]], axis=0)), [None, None, 1])


def _decoded(encoded: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_jpeg(encoded, channels=3)  # PNG too, as `pictures.decode` does


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def _floats(values: Any) -> tf.train.Feature:
    return tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(values)))


def _integers(values: Any) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(values)))
