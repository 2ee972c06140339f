"""PNG files written quickly hold the pixels that they were given."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pipelines.pixels import png


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (1, 9, 3), (33, 20, 3), (1, 3)])
def test_a_quick_png_is_read_back_by_every_decoder(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for given in (pixels, pixels[::-1, ::-1]):
        encoded = png.quick(given)
        np.testing.assert_array_equal(Image.open(io.BytesIO(encoded)), given)
        decoded = tf.io.decode_png(encoded, channels=3 if given.ndim == 3 else 1).numpy()
        np.testing.assert_array_equal(decoded.reshape(shape), given)


def test_a_map_of_classes_is_no_larger_than_by_pillow():
    classes = np.add.outer(np.arange(200) // 40, np.arange(300) // 70).astype(np.uint8)
    slow = io.BytesIO()
    Image.fromarray(classes).save(slow, "PNG")
    assert len(png.quick(classes)) <= len(slow.getvalue())
