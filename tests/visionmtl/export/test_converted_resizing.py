"""Pictures are brought to the network's input in other runtimes level for level as in TensorFlow."""

from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from shown import pictures

from visionmtl import images
from visionmtl.export import Serving, litert, onnx

SIZE = (32, 48)  # 1 / 48 is no float32
SHAPES = [(1, 90, 120, 3), (1, 90, 121, 3), (1, 31, 240, 3), (1, 17, 20, 3)]


def in_onnx(resize):
    """What ONNX Runtime makes of pictures."""

    def fitted(given):
        with images.plainly():
            return {"fitted": images.fit(given, SIZE, resize)[0]}

    session = onnxruntime.InferenceSession(onnx._converted(fitted, {}, 1).SerializeToString())
    return lambda given: session.run(["fitted"], {"images": given})[0]


def in_litert(resize):
    """What LiteRT makes of pictures."""
    made = litert._converted(litert._before(SimpleNamespace(image_size=SIZE), Serving(resize)))
    interpreter = Interpreter(model_content=made)
    return lambda given: interpreter.get_signature_runner()(images=given)["fitted"]


@pytest.mark.slow
@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
@pytest.mark.parametrize("runtime", [in_onnx, in_litert])
def test_levels_that_lie_between_two_are_rounded_as_in_training(runtime, resize):
    answer = runtime(resize)
    for shape in SHAPES:
        given = pictures(shape)
        np.testing.assert_array_equal(answer(given), images.fit(tf.constant(given), SIZE, resize)[0], str(shape))
