"""Requests that TensorFlow Serving asks a model itself before it answers others, for the first takes long."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

WARMUP = Path("assets.extra", "tf_serving_warmup_requests")  # where it looks in a version's folder
GREY = 127  # of what it asks about

# The numbers of the fields in tensorflow_serving/apis, prediction_log.proto, predict.proto and model.proto, of which a
# request needs no more: the package tensorflow-serving-api is for clients, and brings gRPC.
PREDICT_LOG = 6  # of PredictionLog
REQUEST = 1  # of PredictLog
MODEL_SPEC, INPUTS = 1, 2  # of PredictRequest
KEY, VALUE = 1, 2  # of every entry of a map
SIGNATURE_NAME = 3  # of ModelSpec


def write(folder: Path, size: tuple[int, int]) -> None:
    """Write a request to `serving_default` and one to `serving_bytes`, each of a grey picture.

    They name no model: it is the one that they lie beside, whatever a server calls it.

    Args:
        folder: of a SavedModel.
        size: height and width of the picture.
    """
    grey = np.full((*size, 3), GREY, np.uint8)
    asked = {
        "serving_default": {"images": grey[None]},
        "serving_bytes": {"encoded": np.array([tf.io.encode_jpeg(grey).numpy()], object)},
    }
    path = folder / WARMUP
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as written:
        for signature, inputs in asked.items():
            written.write(_log(signature, inputs))


def _log(signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """Return a PredictionLog with the request of a signature, as protocol buffers are encoded."""
    request = _field(MODEL_SPEC, _field(SIGNATURE_NAME, signature.encode()))
    for key, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(INPUTS, _field(KEY, key.encode()) + _field(VALUE, tensor))
    return _field(PREDICT_LOG, _field(REQUEST, request))


def _field(number: int, content: bytes) -> bytes:
    """Return a field of a message that is text, bytes or a message: its number and kind, its length, its content."""
    return bytes([*_varint(number << 3 | 2), *_varint(len(content))]) + content


def _varint(value: int) -> Iterator[int]:
    """Yield a whole number in bytes of seven bits, the last ones first; all but the last byte have the eighth bit."""
    while value > 127:
        yield value & 127 | 128
        value >>= 7
    yield value
