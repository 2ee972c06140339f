"""An exported graph reads the pixels that `predict` reads, or says why not."""

import encoded
import numpy as np
import pytest
import tensorflow as tf
from encoded import by_predict

from pipelines import DataError
from visionmtl.export import decoding

SAME = {f"pixels: {name}": content for name, content in encoded.PIXELS.items()}
SAME |= {f"orientation: {name}": content for name, content in encoded.TURNS.items()}


@pytest.fixture(scope="module")
def decode():
    """The graph: a picture and why there is none."""
    black = (tf.io.serialize_tensor(tf.zeros((1, 1, 3), tf.uint8)), decoding.DAMAGED)

    def packed(content, *found):  # for results are of one shape
        picture, fault = decoding.decode(content, decoding.Header(*found))
        return tf.io.serialize_tensor(picture), fault

    @tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
    def function(content):
        given = (content[None], *(each[None] for each in decoding.inspect(content)))
        picture, fault = decoding.attempts(packed, given, black)
        return tf.io.parse_tensor(picture[0], tf.uint8), fault[0]

    return function


@pytest.mark.slow
def test_every_encoding_gives_the_pixels_of_predict(decode, tmp_path):
    different = {}
    for name, content in SAME.items():
        expected = by_predict(content, tmp_path)
        picture, fault = decode(content)
        if fault != b"" or not np.array_equal(picture, expected):
            different[name] = fault.numpy() or (picture.shape, expected.shape)
    assert different == {}


def test_the_orientations_that_are_tried_are_all_there_are(tmp_path):
    shapes = {by_predict(encoded.TURNS[f"jpeg {value}"], tmp_path).tobytes() for value in range(10)}
    assert len(shapes) == 8


@pytest.mark.parametrize("name", encoded.REFUSED)
def test_what_only_predict_reads_is_refused_by_a_sentence(decode, name, tmp_path):
    content, sentence = encoded.REFUSED[name]
    assert by_predict(content, tmp_path).ndim == 3
    picture, fault = decode(content)
    assert picture.shape == (1, 1, 3)
    assert sentence in fault.numpy().decode()
    assert fault.numpy().endswith(b".")


@pytest.mark.parametrize("name", encoded.UNREADABLE)
def test_what_nobody_reads_is_told(decode, name, tmp_path):
    content, sentence = encoded.UNREADABLE[name]
    with pytest.raises((DataError, tf.errors.OpError, OSError)):
        by_predict(content, tmp_path)
    picture, fault = decode(content)
    assert not picture.numpy().any()
    assert sentence in fault.numpy().decode()
