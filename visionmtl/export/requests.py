"""What a served model answers: functions from a batch of pictures to predictions in their own pixels, in graph."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from visionmtl import images
from visionmtl.export import decoding
from visionmtl.export.narrowing import network
from visionmtl.model import MultiTaskModel
from visionmtl.tasks import Task

Predictions = dict[str, tf.Tensor]
Confidences = Mapping[str, tf.Tensor]  # float32 [B, C], by task that finds objects
Answer = Callable[[tf.Tensor, Confidences], Predictions]
Read = tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]  # pictures as the network takes them, windows, sizes, errors
BYTE = 256  # classes that fit into one


def answer_pixels(model: MultiTaskModel, resize: str) -> Answer:
    """Return what answers uint8 images `[B, H, W, 3]`, all of one size."""
    predict = network(model)

    def answer(pictures: tf.Tensor, least: Confidences) -> Predictions:
        fitted, window = images.fit(pictures, model.image_size, resize)
        size = tf.shape(pictures)[1:3]
        outputs = predict(fitted, training=False)
        predictions = model.decode(outputs, size, None if resize == "stretch" else window, least)
        return predictions | {"image_sizes": tf.tile(size[None], (tf.shape(pictures)[0], 1))}

    return answer


def read_bytes(model: MultiTaskModel, resize: str) -> Callable[[tf.Tensor], Read]:
    """Return what reads encoded pictures, strings `[B]`, each of a size of its own, and says which it cannot."""

    def fit(encoded: tf.Tensor, *header: tf.Tensor) -> tuple[tf.Tensor, ...]:
        picture, fault = decoding.decode(encoded, decoding.Header(*header))
        fitted, window = images.fit(picture, model.image_size, resize)
        return fitted, window, tf.where(tf.equal(fault, ""), tf.shape(picture)[:2], 0), fault

    blank = (tf.zeros((*model.image_size, 3)), tf.constant(images.WHOLE), tf.zeros((2,), tf.int32), decoding.DAMAGED)

    def read(encoded: tf.Tensor) -> Read:
        headers = tf.map_fn(decoding.inspect, encoded, fn_output_signature=decoding.HEADER)
        return decoding.attempts(fit, (encoded, *headers), blank)

    return read


def answer_bytes(model: MultiTaskModel, resize: str, read: Callable[[tf.Tensor], Read]) -> Answer:
    """Return what answers encoded pictures, strings `[B]`, and says which it cannot read.

    Args:
        model: that answers.
        resize: as in `read`.
        read: from `read_bytes`.
    """
    predict = network(model)

    def answer(encoded: tf.Tensor, least: Confidences) -> Predictions:
        fitted, windows, sizes, errors = read(encoded)
        largest = tf.maximum(tf.reduce_max(sizes, axis=0), 0)

        def decode(picture: Any) -> Predictions:
            outputs, window, size, error, confidences = picture
            failed = tf.not_equal(error, "")
            outputs = {name: value[None] for name, value in outputs.items()}
            sure = {name: tf.where(failed, float("inf"), value)[None] for name, value in confidences.items()}
            window, shown = None if resize == "stretch" else window, tf.maximum(size, 1)
            answered: Predictions = {}
            for name, task in model.tasks.items():
                found = task.decode(model.read_outputs(name, outputs), shown, window)
                found = task.confident(found, sure[name]) if name in sure else found
                for key, value in found.items():
                    if key in task.maps:
                        value = _padded(_small(value[0], task), size, largest, task.maps[key])
                    else:
                        value = _said(value[0], failed, task)
                    answered[f"{name}_{key}"] = value
            return answered

        each = (predict(fitted, training=False), windows, sizes, errors, dict(least))
        one = tf.nest.map_structure(lambda tensor: tf.TensorSpec(tensor.shape[1:], tensor.dtype), each)
        kinds = tf.function(decode, autograph=False).get_concrete_function(one).structured_outputs
        kinds = {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in kinds.items()}
        found = tf.map_fn(decode, each, fn_output_signature=kinds)
        for name, task in model.tasks.items():
            for key in task.maps:
                found[f"{name}_{key}"] = _whole(found[f"{name}_{key}"], task)
        return found | {"image_sizes": sizes, "errors": errors}

    return answer


def _small(values: tf.Tensor, task: Task) -> tf.Tensor:
    """Return class ids in a byte each where they fit: of a large picture there are several copies at a time."""
    return tf.cast(values, tf.uint8) if values.dtype == tf.int32 and 0 < len(task.classes) < BYTE else values


def _whole(values: tf.Tensor, task: Task) -> tf.Tensor:
    """Return class ids as `_small` was given them."""
    return tf.cast(values, tf.int32) if values.dtype == tf.uint8 and 0 < len(task.classes) < BYTE else values


def _said(values: tf.Tensor, failed: tf.Tensor, task: Task) -> tf.Tensor:
    """Return what is said of a picture as a whole, zeros where it failed; of objects, there are none then already."""
    return values if task.annotates else tf.where(failed, tf.zeros_like(values), values)


def _padded(values: tf.Tensor, size: tf.Tensor, largest: tf.Tensor, nothing: float) -> tf.Tensor:
    """Return the part `[h, w]` of a map that is of a picture amid `nothing`, as large as the largest picture."""
    below, right = largest[0] - size[0], largest[1] - size[1]
    nothing = tf.cast(nothing, values.dtype)
    padded = tf.pad(values[: size[0], : size[1]], [(0, below), (0, right)], constant_values=nothing)
    return tf.ensure_shape(padded, (None, None))
