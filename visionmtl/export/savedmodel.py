"""SavedModels that TensorFlow alone can load: pictures of any size, or their encoded bytes, in; predictions out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from visionmtl import images
from visionmtl.export.format import Format
from visionmtl.model import MultiTaskModel

Endpoint = tuple[Callable[[tf.Tensor], dict[str, tf.Tensor]], list[tf.TensorSpec]]


class SavedModel(Format):
    """A SavedModel that needs TensorFlow and nothing else.

    Two signatures, both of any batch size and both with the predictions `<task>_<prediction>` of `model.predict`, but
    in the pixels of the pictures given, and `image_sizes` int32 `[B, 2]`, their heights and widths:
    - `serving_default`: `images` uint8 `[B, H, W, 3]`, RGB, of any H and W;
    - `serving_bytes`: `encoded` string `[B]`, JPEG or PNG files, each of a size of its own; class maps are padded with
      255 to the largest, depth with 0. Pixels are taken as stored: an EXIF orientation is not applied.

    `labels.json` beside the SavedModel names each task's kind and classes.
    """

    def write(self, model: MultiTaskModel, folder: Path, resize: str) -> None:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serving_default", *_from_pixels(model, resize))
        archive.add_endpoint("serving_bytes", *_from_bytes(model, resize))
        archive.write_out(folder, verbose=False)
        labels = {name: {"kind": task.kind, "classes": list(task.classes)} for name, task in model.tasks.items()}
        (folder / "labels.json").write_text(json.dumps(labels, indent=2) + "\n", encoding="utf-8")


def _from_pixels(model: MultiTaskModel, resize: str) -> Endpoint:
    def serve(pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        fitted, window = images.fit(pictures, model.image_size, resize)
        size = tf.shape(pictures)[1:3]
        predictions = model.decode(model(fitted, training=False), size, None if resize == "stretch" else window)
        return predictions | {"image_sizes": tf.tile(size[None], (tf.shape(pictures)[0], 1))}

    return serve, [tf.TensorSpec((None, None, None, 3), tf.uint8, name="images")]


def _from_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    """Decode as in training, and as Pillow does: TensorFlow's own choice is off by two levels."""
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")


def _from_other(encoded: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_image(encoded, channels=3, expand_animations=False)


def _from_bytes(model: MultiTaskModel, resize: str) -> Endpoint:
    padding = {f"{name}_{key}": value for name, task in model.tasks.items() for key, value in task.maps.items()}

    def fit(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        picture = tf.cond(tf.io.is_jpeg(encoded), lambda: _from_jpeg(encoded), lambda: _from_other(encoded))
        picture.set_shape((None, None, 3))
        return *images.fit(picture, model.image_size, resize), tf.shape(picture)[:2]

    def serve(encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        fits = (tf.TensorSpec((*model.image_size, 3)), tf.TensorSpec((4,)), tf.TensorSpec((2,), tf.int32))
        fitted, windows, sizes = tf.map_fn(fit, encoded, fn_output_signature=fits)
        largest = tf.reduce_max(sizes, axis=0)

        def decode(picture: tuple[Any, tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
            outputs, window, size = picture
            outputs = {name: value[None] for name, value in outputs.items()}
            decoded = model.decode(outputs, size, None if resize == "stretch" else window)
            predictions = {name: value[0] for name, value in decoded.items()}
            below, right = largest[0] - size[0], largest[1] - size[1]
            for name, value in padding.items():
                predictions[name] = tf.pad(predictions[name], [(0, below), (0, right)], constant_values=value)
            return predictions

        each = (model(fitted, training=False), windows, sizes)
        # One picture traced for its shapes alone: nothing reads its values, so the graph drops it.
        shapes = decode(tf.nest.map_structure(lambda x: x[0], each))
        kinds = {name: tf.TensorSpec(value.shape, value.dtype) for name, value in shapes.items()}
        kinds |= {name: tf.TensorSpec((None, None), shapes[name].dtype) for name in padding}
        return tf.map_fn(decode, each, fn_output_signature=kinds) | {"image_sizes": sizes}

    return serve, [tf.TensorSpec((None,), tf.string, name="encoded")]
