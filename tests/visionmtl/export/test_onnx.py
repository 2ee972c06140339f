"""ONNX models: run by ONNX Runtime in a process that has nothing else, and equal to the model they came from."""

import importlib.util
import json
import subprocess
import sys

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import toys
from cases import few
from shown import pictures, spread

from visionmtl import export, images, sharing
from visionmtl.errors import UsageError
from visionmtl.export import agreement
from visionmtl.tasks import Segmentation

# A name in sys.modules that is None cannot be imported.
CLIENT = """
import sys
sys.modules |= dict.fromkeys(("visionmtl", "pipelines", "keras", "keras_cv", "tensorflow", "tf2onnx", "onnx"))
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
names = [each.name for each in session.get_outputs()]
with np.load(sys.argv[2]) as given:
    np.savez(sys.argv[3], **dict(zip(names, session.run(None, dict(given)))))
"""
LIES = "answer = lambda images: {'scene_probabilities': np.array([[1, 0, 0]], 'float32')}"
SHAPES = [(2, 50, 71, 3), (1, 131, 97, 3), (3, 20, 13, 3), (1, 32, 32, 3), (1, 1, 2, 3)]
EVERY = ("scene", "objects", "ground", "weather", "range")


def run(session, **given):
    """Return what a session answers, by name."""
    return dict(zip([each.name for each in session.get_outputs()], session.run(None, given), strict=True))


def differing(model, session, resize, shape, least=None):
    """How the answer to pictures of a shape differs where it does not agree with the model's."""
    given = pictures(shape)
    answered = run(session, images=given)
    assert answered.pop("image_sizes").tolist() == [list(shape[1:3])] * shape[0]
    fitted, window = images.fit(tf.constant(given), model.image_size, resize)
    window = None if resize == "stretch" else window
    expected = model.decode(model(fitted, training=False), shape[1:3], window, least or {})
    expected = {name: value.numpy() for name, value in expected.items()}
    assert expected.keys() == answered.keys()
    assert {name: value.dtype for name, value in expected.items()} == {n: v.dtype for n, v in answered.items()}
    found = agreement.compare(model.tasks, expected, answered)
    return [str(each) for each in found if not each.agrees]


@pytest.fixture(scope="module")
def exported(toy_model, tmp_path_factory):
    """A model of every kind of task, and the folder of its export in every format."""
    model = spread(toy_model(toys.tasks(*EVERY), resize="letterbox"))
    folder = tmp_path_factory.mktemp("exported") / "toy"
    shown = [pictures((1, 50, 71, 3))[0], pictures((1, 33, 20, 3))[0]]
    return model, export.save(model, folder, format=["savedmodel", "onnx"], pictures=shown)


@pytest.fixture(scope="module")
def session(exported):
    """The ONNX model as ONNX Runtime loads it."""
    return onnxruntime.InferenceSession(exported[1] / "model.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_task_says_of_pictures_of_any_size_what_the_model_says(exported, session, shape):
    assert differing(exported[0], session, "letterbox", shape) == []


@pytest.mark.slow
def test_objects_are_found_at_all(exported, session):
    counts = session.run(["objects_count"], {"images": pictures((2, 50, 71, 3))})[0]
    assert (counts > 5).all()


@pytest.mark.slow
def test_a_fresh_process_with_onnx_runtime_alone_answers_alike(exported, session, tmp_path):
    given = {"images": pictures((2, 50, 71, 3)), "objects_confidence": np.array([0.6, 2], "float32")}
    np.savez(tmp_path / "given.npz", **given)
    arguments = [exported[1] / "model.onnx", tmp_path / "given.npz", tmp_path / "answer.npz"]
    subprocess.run([sys.executable, "-c", CLIENT, *map(str, arguments)], check=True)
    with np.load(tmp_path / "answer.npz") as answer:
        for name, value in run(session, **given).items():
            np.testing.assert_allclose(answer[name], value, atol=1e-5, err_msg=name)
        assert set(answer["objects_classes"].flat) <= {0, -1}
        assert (answer["objects_scores"][answer["objects_classes"] == 0] >= 0.6).all()


@pytest.mark.slow
def test_it_says_which_opset_it_is_of_and_what_its_axes_are(exported, session):
    import onnx

    model = onnx.load(exported[1] / "model.onnx")
    assert {each.domain: each.version for each in model.opset_import}[""] == 18
    assert [(each.name, each.shape) for each in session.get_inputs()] == [("images", ["batch", "height", "width", 3])]
    shapes = {each.name: each.shape for each in session.get_outputs()}
    assert shapes["ground_classes"] == ["batch", "height", "width"]
    assert shapes["objects_boxes"] == ["batch", 100, 4]
    assert [each.name for each in session.get_overridable_initializers()] == ["objects_confidence"]


@pytest.mark.slow
def test_an_export_proves_each_format_on_pictures_and_keeps_how_near_it_is(exported):
    record = json.loads((exported[1] / "export.json").read_text())
    assert record["pictures"] == [[50, 71], [33, 20]]
    assert record["formats"].keys() == {"savedmodel", "onnx"}
    outputs = [each["output"] for each in record["formats"]["onnx"]]
    assert {*outputs} > {"objects_boxes", "ground_classes", "range_depth", "scene_probabilities"}
    assert all(each["value"] <= each["bound"] for each in record["formats"]["onnx"])


def test_an_export_that_says_something_else_is_refused_and_leaves_no_version(toy_model, tmp_path, monkeypatch):
    model = toy_model(toys.tasks("scene"))

    def wrong(self, model, folder, serving):
        (folder / "model.onnx").write_bytes(b"")

    monkeypatch.setattr(export.FORMATS["onnx"], "write", wrong)
    shown = [np.zeros((20, 30, 3), "uint8")]
    with pytest.raises(UsageError, match="as onnx does not run.*versions before are as they were"):
        export.save(model, tmp_path / "toy", format="onnx", pictures=shown)
    monkeypatch.setattr(export.FORMATS["onnx"], "runner", LIES)
    with pytest.raises(UsageError, match="does not say .*: scene_probabilities differs by 0.*is allowed"):
        export.save(model, tmp_path / "toy", format="onnx", pictures=shown)
    assert list((tmp_path / "toy").iterdir()) == []


@pytest.mark.slow
def test_several_formats_lie_in_one_version_beside_one_file_of_labels(exported):
    folder = exported[1]
    assert {path.name for path in folder.iterdir()} >= {"saved_model.pb", "variables", "model.onnx", "labels.json"}
    served = tf.saved_model.load(folder).signatures["serving_default"](images=tf.constant(pictures((1, 40, 30, 3))))
    assert served["ground_classes"].shape == (1, 40, 30)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", sharing.names())
def test_every_sharing_scheme_is_written(toy_model, tmp_path, scheme):
    model = spread(toy_model(toys.tasks("scene", "objects", "ground"), sharing=scheme))
    model.confidences = {"objects": {"cat": 0.3, "dog": 0.6}}
    folder = export.save(model, tmp_path, format="onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    assert differing(model, session, "stretch", (1, 50, 71, 3), model.confidences) == []


@pytest.mark.parametrize("formats", few(["onnx", "savedmodel,onnx"], keep=["savedmodel,onnx"]))
def test_a_missing_package_is_told_before_anything_is_written(toy_model, tmp_path, monkeypatch, formats):
    there = importlib.util.find_spec
    monkeypatch.setattr("visionmtl.export.format.find_spec", lambda name: None if name == "tf2onnx" else there(name))
    with pytest.raises(UsageError, match=r"'onnx' needs the package tf2onnx.*pip install 'visionmtl\[onnx\]'"):
        export.save(toy_model(), tmp_path / "toy", format=formats)
    assert not (tmp_path / "toy").exists()


def test_formats_are_named_once_each_and_known():
    assert export.chosen("savedmodel, onnx") == ["savedmodel", "onnx"]
    with pytest.raises(UsageError, match="'onnx' was named twice"):
        export.chosen(["onnx", "onnx"])
    with pytest.raises(UsageError, match="Did you mean 'onnx'"):
        export.chosen("savedmodel,onx")
    with pytest.raises(UsageError, match="name one or several of"):
        export.chosen([])


@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_half_precision_is_refused_since_the_converter_would_change_it_in_silence(toy_model, tmp_path, format):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = toy_model(toys.tasks("scene"))
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(UsageError, match="computes in bfloat16.*training.precision=float32"):
        export.save(model, tmp_path / "toy", format=format)
    assert list((tmp_path / "toy").iterdir()) == []


class Strange(Segmentation):
    """A task that decodes by what ONNX does not have."""

    def decode(self, outputs, image_size, window=None):
        decoded = super().decode(outputs, image_size, window)
        return decoded | {"strange": tf.linalg.svd(outputs["logits"], compute_uv=False)[..., 0]}


@pytest.mark.slow
def test_an_operation_that_onnx_does_not_have_is_told_and_leaves_no_version(toy_model, tmp_path):
    with pytest.raises(UsageError, match="no operation Svd"):
        export.save(toy_model([Strange("ground", 3)]), tmp_path / "toy", format="savedmodel,onnx")
    assert list((tmp_path / "toy").iterdir()) == []
