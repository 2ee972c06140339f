"""What a served model's heads read of a picture: feature maps, computed once for heads that are added later."""

from collections.abc import Callable

import keras
import tensorflow as tf

from visionmtl import images
from visionmtl.export.requests import Predictions, Read
from visionmtl.model import MultiTaskModel


def network(model: MultiTaskModel) -> keras.Model:
    """Return what of a model makes the maps that its heads read, by name, with the same layers."""
    return keras.Model(model.input, model.features.named(), name=model.name)


def of_pixels(model: MultiTaskModel, resize: str) -> Callable[[tf.Tensor], Predictions]:
    """Return what makes the maps of uint8 images `[B, H, W, 3]`, all of one size."""
    maps = network(model)

    def answer(pictures: tf.Tensor) -> Predictions:
        fitted, window = images.fit(pictures, model.image_size, resize)
        size = tf.shape(pictures)[1:3]
        alike = {"windows": window, "image_sizes": size}
        batch = tf.shape(pictures)[0]
        return _float32(maps(fitted, training=False)) | {
            name: tf.tile(each[None], (batch, 1)) for name, each in alike.items()
        }

    return answer


def of_bytes(model: MultiTaskModel, read: Callable[[tf.Tensor], Read]) -> Callable[[tf.Tensor], Predictions]:
    """Return what makes the maps of encoded pictures, strings `[B]`; zeros for one that it cannot read.

    Args:
        model: whose maps they are.
        read: from `requests.read_bytes`.
    """
    maps = network(model)

    def answer(encoded: tf.Tensor) -> Predictions:
        fitted, windows, sizes, errors = read(encoded)
        whole = tf.equal(errors, "")[:, None, None, None]
        made = _float32(maps(fitted, training=False))
        made = {name: tf.where(whole, each, tf.zeros_like(each)) for name, each in made.items()}
        return made | {"windows": windows, "image_sizes": sizes, "errors": errors}

    return answer


def _float32(maps: Predictions) -> Predictions:
    return {name: tf.cast(each, tf.float32) for name, each in maps.items()}
