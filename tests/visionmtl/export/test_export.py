"""SavedModels: called from a process that has TensorFlow alone, and equal to the model they came from."""

import io
import json
import subprocess
import sys

import encoded
import numpy as np
import pytest
import tensorflow as tf
import toys
from cases import few
from encoded import by_predict
from PIL import Image

from pipelines.pixels.rules import RESIZES
from visionmtl import export, images
from visionmtl.errors import UsageError
from visionmtl.export import versions
from visionmtl.tasks import Segmentation

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
# The megabytes that a large picture takes more than a small one.
PEAK = """
import re, sys
import tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_bytes"]
peaks = []
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        answer = serve(encoded=tf.constant([file.read()]))
    with open("/proc/self/status") as status:  # what `resource` tells may be the peak of who started this
        peaks.append(int(re.search("VmHWM:\\s*(\\d+)", status.read())[1]) / 1024)
print(peaks[1] - peaks[0])
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


@pytest.mark.slow
@pytest.mark.parametrize("resize", few(RESIZES, keep=["letterbox"]))
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


@pytest.mark.slow
def test_batches_of_any_size_share_one_trace(toy_model, photographs, tmp_path):
    served = tf.saved_model.load(export.save(toy_model(), tmp_path / "toy"))
    files, _ = photographs
    signature = served.signatures["serving_bytes"]
    one = signature(encoded=tf.constant(files[:1]))
    for images_in_batch in (2, 32):
        many = signature(encoded=tf.constant([files[0]] * images_in_batch))
        np.testing.assert_allclose(many["scene_probabilities"][-1], one["scene_probabilities"][0], atol=1e-5)
    assert signature.structured_input_signature[1]["encoded"].shape.as_list() == [None]


@pytest.mark.slow
def test_an_export_names_its_classes_and_takes_the_next_version(toy_model, tmp_path):
    model = toy_model()
    first, second = (export.save(model, tmp_path / "toy") for _ in range(2))
    assert [first.name, second.name] == ["1", "2"]
    labels = json.loads((first / "labels.json").read_text())
    assert labels["objects"] == {"kind": "detection", "classes": ["cat", "dog"], "confidences": None}


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


@pytest.fixture(scope="module")
def served(toy_model, tmp_path_factory):
    """A model that is sure enough of half of what it finds, and its export as TensorFlow loads it."""
    model = toy_model(toys.tasks("scene", "objects", "ground", "range"), resize="letterbox")
    fitted, _ = images.fit(tf.io.decode_png(encoded.PNG)[None], model.image_size, "letterbox")
    found = model.decode(model(fitted, training=False))
    middle = [float(np.median(found["objects_scores"][found["objects_classes"] == place])) for place in range(2)]
    model.confidences = {"objects": dict(zip(("cat", "dog"), middle, strict=True))}
    folder = export.save(model, tmp_path_factory.mktemp("served") / "toy")
    return model, folder, tf.saved_model.load(folder).signatures


@pytest.mark.slow
def test_every_encoding_is_answered_as_predict_answers_it_or_refused_alone(served, tmp_path):
    model, _, signatures = served
    read = {**encoded.PIXELS, **encoded.TURNS}
    refused = {**encoded.REFUSED, **encoded.UNREADABLE}
    answer = signatures["serving_bytes"](encoded=tf.constant([*read.values(), *(each[0] for each in refused.values())]))
    expected = [by_predict(content, tmp_path) for content in read.values()]
    fitted = tf.stack([images.fit(picture, model.image_size, "letterbox")[0] for picture in expected])
    said = model.decode(model(fitted, training=False))
    np.testing.assert_allclose(
        answer["scene_probabilities"][: len(read)], said["scene_probabilities"], atol=1e-5, err_msg=str([*read])
    )
    assert answer["image_sizes"][: len(read)].numpy().tolist() == [list(picture.shape[:2]) for picture in expected]
    errors = [error.decode() for error in answer["errors"].numpy()]
    assert errors[: len(read)] == [""] * len(read)
    told = dict(zip(refused, errors[len(read) :], strict=True))
    assert [name for name, (_, sentence) in refused.items() if sentence not in told[name]] == []


@pytest.mark.slow
def test_what_cannot_be_read_says_nothing_and_harms_no_other(served):
    _, _, signatures = served
    broken = [encoded.JPEG[:-400], b"", encoded.REFUSED["gif"][0]]
    mixed = signatures["serving_bytes"](encoded=tf.constant([broken[0], encoded.JPEG, *broken[1:], encoded.PNG]))
    whole = signatures["serving_bytes"](encoded=tf.constant([encoded.JPEG, encoded.PNG]))
    for name, value in whole.items():
        kept, lost = tf.gather(mixed[name], [1, 4]).numpy(), tf.gather(mixed[name], [0, 2, 3]).numpy()
        check = np.testing.assert_allclose if kept.dtype == np.float32 else np.testing.assert_array_equal
        check(kept, value, err_msg=name, **({"rtol": 1e-6} if kept.dtype == np.float32 else {}))
        if name != "errors":
            assert (lost == {"objects_classes": -1, "ground_classes": 255}.get(name, 0)).all(), name
    alone = signatures["serving_bytes"](encoded=tf.constant(broken))
    assert all(alone["errors"].numpy())
    assert alone["ground_classes"].shape == (3, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["serving_default", "serving_bytes"])
def test_objects_are_those_of_the_model_s_confidences_unless_a_request_has_its_own(served, name):
    model, folder, signatures = served
    sure = model.confidences["objects"]
    pixels = tf.io.decode_png(encoded.PNG)
    given = {"encoded": tf.constant([encoded.PNG] * 3)} if "bytes" in name else {"images": tf.stack([pixels] * 3)}
    fitted, window = images.fit(pixels[None], model.image_size, "letterbox")
    outputs = model(fitted, training=False)

    def expected(confidence):
        return model.decode(outputs, encoded.SIZE, window, {"objects": confidence})

    answer = signatures[name](**given)
    assert 0 < answer["objects_count"][0] < expected(0.0)["objects_count"][0]
    assert int(answer["objects_count"][0]) == pytest.approx(int(expected(sure)["objects_count"][0]), abs=1)
    wanted = [0.0, float(np.median(expected(0.0)["objects_scores"])), 1.0]
    answer = signatures[f"{name}_confidence"](**given, confidence=tf.constant(wanted))
    counts = [int(expected(each)["objects_count"][0]) for each in wanted]
    assert answer["objects_count"].numpy() == pytest.approx(counts, abs=1)
    labels = json.loads((folder / "labels.json").read_text())
    assert labels["objects"]["confidences"] == sure
    assert "confidences" not in labels["scene"]


@pytest.mark.slow
def test_without_objects_to_find_there_is_no_confidence_to_give(toy_model, tmp_path):
    folder = export.save(toy_model(toys.tasks("scene")), tmp_path)
    names = {"serving_default", "serving_bytes", "serving_features", "serving_features_bytes"}
    assert {*tf.saved_model.load(folder).signatures} == names


def test_a_confidence_that_cannot_be_is_refused(toy_model, tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'objects'"):
        export.save(toy_model(), tmp_path, confidences={"object": 0.5})
    with pytest.raises(UsageError, match="confidence of cat=50"):
        export.save(toy_model(), tmp_path, confidences=50)


@pytest.mark.slow
def test_a_client_that_has_read_signature_json_alone_asks_every_signature(served):
    folder, signatures = served[1:]
    sizes = {"batch": 2, "height": 40, "width": 50}
    said = json.loads((folder / "signature.json").read_text())["savedmodel"]["signatures"]
    assert said.keys() == {*signatures}
    for name, own in said.items():
        given = {}
        for each in own["inputs"]:
            shape = [sizes.get(size, size) for size in each["shape"]]
            pictures = each["dtype"] == "string"
            given[each["name"]] = tf.fill(shape, encoded.PNG) if pictures else tf.zeros(shape, each["dtype"])
        answer = signatures[name](**given)
        assert answer.keys() == {each["name"] for each in own["outputs"]}
        for each in own["outputs"]:
            made = answer[each["name"]]
            known = [
                size if isinstance(size, int) else got for size, got in zip(each["shape"], made.shape, strict=True)
            ]
            assert (made.dtype.name, made.shape.as_list()) == (each["dtype"], known)


@pytest.mark.slow
def test_weights_are_stored_once_and_no_operation_calls_python(served):
    model, folder, _ = served
    stored = [np.prod(shape) for _, shape in tf.train.list_variables(str(folder / "variables" / "variables"))]
    assert sum(stored) - 1 == model.count_params()  # beside the weights lies what they are called
    graph = (folder / "saved_model.pb").read_bytes()
    assert b"PyFunc" not in graph


@pytest.mark.slow
@pytest.mark.parametrize("task", ["ground", "range"])
def test_a_picture_of_twelve_megapixels_takes_little_beside_the_network(toy_model, tmp_path, task):
    made = Segmentation("ground", 11) if task == "ground" else toys.task(task)
    folder = export.save(toy_model([made]), tmp_path / "toy")
    for name, size in {"small": (64, 48), "large": (4000, 3000)}.items():
        encoded.RGB.resize(size).save(tmp_path / f"{name}.jpg")
    arguments = [folder, tmp_path / "small.jpg", tmp_path / "large.jpg"]
    done = subprocess.run([sys.executable, "-c", PEAK, *map(str, arguments)], check=True, capture_output=True)
    assert 12 < float(done.stdout) < 150
