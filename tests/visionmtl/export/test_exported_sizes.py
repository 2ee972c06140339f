"""Exports of another size, and of a fixed batch."""

import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl import export
from visionmtl.commands.export import size
from visionmtl.errors import UsageError
from visionmtl.model.resizing import resized


@pytest.mark.slow
def test_a_size_and_a_batch_are_those_of_the_export(toy_model, tmp_path, capsys):
    model = toy_model(toys.tasks("scene"))
    folder = export.save(model, tmp_path, size=(48, 64), batch=1)
    assert "takes pictures of 48 x 64, and was trained and measured at 32 x 32" in capsys.readouterr().out
    served = tf.saved_model.load(folder).signatures
    picture = np.random.default_rng(0).integers(0, 256, (1, 48, 64, 3)).astype("uint8")
    sized = resized(model, (48, 64))
    expected = sized.decode(sized(picture.astype("float32"), training=False))
    answers = [
        served["serving_default"](images=tf.constant(picture)),
        served["serving_bytes"](encoded=tf.io.encode_png(picture[0])[None]),
    ]
    for answer in answers:
        np.testing.assert_allclose(answer["scene_probabilities"], expected["scene_probabilities"], atol=1e-5)
    shapes = {name: each.structured_input_signature[1] for name, each in served.items()}
    assert {spec.shape[0] for given in shapes.values() for spec in given.values()} == {1}


@pytest.mark.slow
def test_an_onnx_model_is_of_a_fixed_batch_too(toy_model, tmp_path):
    import onnxruntime

    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype("uint8")
    folder = export.save(toy_model(), tmp_path, format="onnx", size=(48, 64), batch=1, pictures=[picture])
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    assert session.get_inputs()[0].shape == [1, "height", "width", 3]
    assert {each.shape[0] for each in session.get_outputs()} == {1}


@pytest.mark.slow
def test_sizes_and_batches_that_cannot_be_are_refused(toy_model, tmp_path):
    with pytest.raises(UsageError, match="a batch of 4: expected 1, or None"):
        export.save(toy_model(), tmp_path / "toy", batch=4)
    with pytest.raises(UsageError, match="multiples of 8"):
        export.save(toy_model(), tmp_path / "toy", size=(33, 64))
    assert size("96x128") == (96, 128)
    for text in ("96", "96x", "axb", "96x128x3"):
        with pytest.raises(UsageError, match=f"--size is '{text}': expected height and width"):
            size(text)
    assert not (tmp_path / "toy").exists()
