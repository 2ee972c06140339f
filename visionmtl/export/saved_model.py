"""SavedModels that TensorFlow alone can load: pictures of any size, or their encoded bytes, in; predictions out."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from visionmtl import images
from visionmtl.errors import UsageError, one_of
from visionmtl.model.multi_task import MultiTaskModel


def save(model: MultiTaskModel, folder: str | Path, *, resize: str = "stretch") -> Path:
    """Write a model as `folder/<version>/`, the next free number, whole or not at all.

    Two signatures, both of any batch size and both with the predictions `<task>_<prediction>` of `model.predict`, but
    in the pixels of the pictures given, and `image_sizes` int32 `[B, 2]`, their heights and widths:
    - `serving_default`: `images` uint8 `[B, H, W, 3]`, RGB, of any H and W;
    - `serving_bytes`: `encoded` string `[B]`, JPEG or PNG files, each of a size of its own; class maps are padded with
      255 to the largest, depth with 0. Pixels are taken as stored: an EXIF orientation is not applied.

    `labels.json` beside the SavedModel names each task's kind and classes.

    Args:
        resize: how the model was trained to see pictures of another shape, "stretch" or "letterbox".

    Returns:
        The version's folder.

    Raises:
        UsageError: `resize` is unknown, or the folder cannot be written, for example because the disk is full.

    Example:
        >>> served = tf.saved_model.load(visionmtl.export.save(model, "saved_models/street"))
        >>> served.signatures["serving_bytes"](encoded=tf.constant([open("photo.jpg", "rb").read()]))
    """
    one_of(resize, images.RESIZES, "resize")
    folder = Path(folder)
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serving_default", *_from_pixels(model, resize))
    archive.add_endpoint("serving_bytes", *_from_bytes(model, resize))
    labels = {name: {"kind": task.kind, "classes": list(task.classes)} for name, task in model.tasks.items()}
    partial = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
        archive.write_out(partial / "model", verbose=False)
        (partial / "model" / "labels.json").write_text(json.dumps(labels, indent=2) + "\n", encoding="utf-8")
        version = folder / str(_next(folder))
        os.replace(partial / "model", version)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UsageError(f"The export to '{folder}' failed and left nothing there: {reason}.") from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
    return version


def _next(folder: Path) -> int:
    """Return the version after the last one in a folder."""
    return max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0) + 1


def _from_pixels(model, resize):
    def serve(pictures):
        fitted, window = images.fit(pictures, model.image_size, resize)
        size = tf.shape(pictures)[1:3]
        predictions = model.decode(model(fitted, training=False), size, None if resize == "stretch" else window)
        return predictions | {"image_sizes": tf.tile(size[None], (tf.shape(pictures)[0], 1))}

    return serve, [tf.TensorSpec((None, None, None, 3), tf.uint8, name="images")]


def _from_bytes(model, resize):
    padding = {f"{name}_{key}": value for name, task in model.tasks.items() for key, value in task.maps.items()}

    def fit(encoded):
        picture = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        picture.set_shape((None, None, 3))
        return *images.fit(picture, model.image_size, resize), tf.shape(picture)[:2]

    def serve(encoded):
        fits = (tf.TensorSpec((*model.image_size, 3)), tf.TensorSpec((4,)), tf.TensorSpec((2,), tf.int32))
        fitted, windows, sizes = tf.map_fn(fit, encoded, fn_output_signature=fits)
        largest = tf.reduce_max(sizes, axis=0)

        def decode(one):
            outputs, window, size = one
            outputs = {name: value[None] for name, value in outputs.items()}
            found = model.decode(outputs, size, None if resize == "stretch" else window)
            found = {name: value[0] for name, value in found.items()}
            for name, value in padding.items():
                found[name] = tf.pad(
                    found[name], [(0, largest[0] - size[0]), (0, largest[1] - size[1])], constant_values=value
                )
            return found

        each = (model(fitted, training=False), windows, sizes)
        # One picture traced for its shapes alone: nothing reads its values, so the graph drops it.
        shapes = decode(tf.nest.map_structure(lambda x: x[0], each))
        kinds = {name: tf.TensorSpec(value.shape, value.dtype) for name, value in shapes.items()}
        kinds |= {name: tf.TensorSpec((None, None), shapes[name].dtype) for name in padding}
        return tf.map_fn(decode, each, fn_output_signature=kinds) | {"image_sizes": sizes}

    return serve, [tf.TensorSpec((None,), tf.string, name="encoded")]
