"""SavedModels: called from a process that has TensorFlow alone, and equal to the model they came from."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from PIL import Image

from visionmtl import export, images
from visionmtl.errors import UsageError
from visionmtl.export import versions

# Without visionmtl, Keras or keras-cv: a name in sys.modules that is None cannot be imported.
CLIENT = """
import json, sys
sys.modules |= dict.fromkeys(("visionmtl", "keras", "keras_cv", "pipelines"))
import numpy as np, tensorflow as tf
served = tf.saved_model.load(sys.argv[1]).signatures
with np.load(sys.argv[2], allow_pickle=True) as given:
    files, pixels = list(given["files"]), given["pixels"]
result = {f"bytes_{k}": v.numpy() for k, v in served["serving_bytes"](encoded=tf.constant(files)).items()}
result |= {f"pixels_{k}": v.numpy() for k, v in served["serving_default"](images=tf.constant(pixels)).items()}
np.savez(sys.argv[3], **result)
"""
SIZES = [(50, 70), (131, 97), (64, 64)]


@pytest.fixture(scope="module")
def photographs():
    """Smooth coloured pictures of odd sizes, as JPEG files and as the pixels those files hold."""
    random = np.random.default_rng(0)
    files = []
    for height, width in SIZES:
        small = Image.fromarray(random.integers(0, 256, (6, 6, 3)).astype("uint8"))
        stream = io.BytesIO()
        small.resize((width, height)).save(stream, "JPEG", quality=95)
        files.append(stream.getvalue())
    return files, [np.asarray(Image.open(io.BytesIO(file))) for file in files]


def _expected(model, picture, resize):
    """What `predict` says of a picture, mapped back to its pixels by the library."""
    fitted, window = images.fit(picture[None], model.image_size, resize)
    outputs = model(fitted, training=False)
    predicted = model.predict(fitted, verbose=0)
    mapped = {name: np.asarray(value)[0] for name, value in model.decode(outputs, picture.shape[:2], window).items()}
    boxes = images.map_boxes(predicted["objects_boxes"], model.image_size, picture.shape[:2], window)
    np.testing.assert_allclose(boxes[0], mapped["objects_boxes"], atol=1e-3)
    return mapped


@pytest.mark.parametrize("resize", few(images.RESIZES, keep=["letterbox"]))
def test_a_fresh_process_with_tensorflow_alone_predicts_like_the_model(toy_model, photographs, tmp_path, resize):
    model = toy_model()
    files, pictures = photographs
    folder = export.save(model, tmp_path / "toy", resize=resize)
    np.savez(tmp_path / "given.npz", files=np.array(files, dtype=object), pixels=pictures[1][None])
    arguments = [folder, tmp_path / "given.npz", tmp_path / "result.npz"]
    subprocess.run([sys.executable, "-c", CLIENT, *map(str, arguments)], check=True, cwd=tmp_path)
    result = np.load(tmp_path / "result.npz")
    assert result["bytes_image_sizes"].tolist() == [list(size) for size in SIZES]
    assert result["bytes_ground_classes"].shape == (3, 131, 97)
    for i, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        expected = _expected(model, picture, resize)
        for name, value in expected.items():
            got = result[f"bytes_{name}"][i]
            got = got[:height, :width] if name == "ground_classes" else got
            if value.dtype == np.int32:
                assert (got == value).mean() > 0.999, name
            else:
                np.testing.assert_allclose(got, value, atol=1e-4 * max(1, np.abs(value).max()), err_msg=name)
        assert (result["bytes_ground_classes"][i, height:] == 255).all()
        assert (result["bytes_ground_classes"][i, :, width:] == 255).all()
    for name in expected:
        got, alone = result[f"pixels_{name}"][0], result[f"bytes_{name}"][1]
        np.testing.assert_allclose(got, alone, atol=1e-2, err_msg=name)


def test_batches_of_any_size_share_one_trace(toy_model, photographs, tmp_path):
    served = tf.saved_model.load(export.save(toy_model(), tmp_path / "toy"))
    files, _ = photographs
    signature = served.signatures["serving_bytes"]
    one = signature(encoded=tf.constant(files[:1]))
    for images_in_batch in (2, 32):
        many = signature(encoded=tf.constant([files[0]] * images_in_batch))
        np.testing.assert_allclose(many["scene_probabilities"][-1], one["scene_probabilities"][0], atol=1e-5)
    assert signature.structured_input_signature[1]["encoded"].shape.as_list() == [None]


def test_an_export_names_its_classes_and_takes_the_next_version(toy_model, tmp_path):
    model = toy_model()
    first, second = (export.save(model, tmp_path / "toy") for _ in range(2))
    assert [first.name, second.name] == ["1", "2"]
    labels = json.loads((first / "labels.json").read_text())
    assert labels["objects"] == {"kind": "detection", "classes": ["cat", "dog"]}


def test_an_unknown_resize_is_refused(toy_model, tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'stretch'"):
        export.save(toy_model(), tmp_path, resize="strech")


def test_an_unknown_format_is_refused(toy_model, tmp_path):
    with pytest.raises(UsageError, match="Unknown export format 'savdmodel'. Did you mean 'savedmodel'"):
        export.save(toy_model(), tmp_path, format="savdmodel")


def test_a_version_that_another_export_took_meanwhile_is_left_alone(tmp_path):
    def fill(folder):
        (folder / "model").write_text("mine")
        if not (tmp_path / "1").exists():  # by now the number is free no more
            (tmp_path / "1").mkdir()
            (tmp_path / "1" / "model").write_text("theirs")

    assert versions.write(tmp_path, fill) == tmp_path / "2"
    assert [(tmp_path / number / "model").read_text() for number in "12"] == ["theirs", "mine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]
