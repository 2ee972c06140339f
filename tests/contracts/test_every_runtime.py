"""Every runtime of the server: it loads what an export writes, and answers as the SavedModel does."""

import subprocess
import sys

import encoded
import numpy as np
import pytest
import toys

from visionmtl import export
from visionmtl.export import agreement
from visionmtl.serving import Limits, rows
from visionmtl.serving.runtimes import RUNTIMES
from visionmtl.serving.version import Version

NAMES = [name for name in RUNTIMES if name != "toy"]  # that of tests
TASKS, LEAST = ("scene", "objects", "ground", "weather", "range"), 0.02
CONTENT = [encoded.JPEG, b"no picture", encoded.TURNS["png 6"], encoded.PIXELS["png grey"]]


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_the_files_of_an_export_format(name):
    made = export.FORMATS[name]
    assert RUNTIMES[name].files == dict(zip(made.precisions, made.files, strict=False))
    assert RUNTIMES[name].extra in ("", made.extra)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A version of a toy of every kind of task, in every format."""
    model = toys.model([toys.task(name) for name in TASKS])
    return export.save(model, tmp_path_factory.mktemp("models") / "toy", format=NAMES, confidences=LEAST)


def answers(version, content, confidence=None):
    """What a version says of encoded pictures."""
    array = np.empty(len(content), np.object_)
    array[:] = content
    signature, inputs = "serving_bytes", {"encoded": array}
    if confidence is not None:
        signature, inputs = f"{signature}_confidence", inputs | {"confidence": np.array(confidence, "f")}
    prepared = version.runtime.prepare(inputs, Limits())
    outputs = dict(version.runtime.run(signature, prepared.inputs))
    for row, fault in prepared.faults.items():
        outputs["errors"][row] = fault
    return outputs


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_answers_as_the_savedmodel_does(folder, name):
    version, reference = Version(folder, name, None, Limits()), Version(folder, "savedmodel", None, Limits())
    plain = {"serving_default", "serving_bytes"}
    wishes = getattr(version.runtime, "wishes", True)
    assert set(version.runtime.signatures) >= plain | {f"{each}_confidence" for each in plain if wishes}
    assert set(version.runtime.signatures["serving_bytes"].maps) == {"ground_classes", "range_depth"}
    expected, found = answers(reference, CONTENT), answers(version, CONTENT)
    assert {name: (values.dtype, values.shape) for name, values in found.items()} == {
        name: (values.dtype, values.shape) for name, values in expected.items()
    }
    assert [bool(error) for error in found["errors"]] == [False, True, False, False]
    tasks = {name: toys.task(name) for name in TASKS}
    least = {"objects": [LEAST, LEAST]}
    wrong = [str(each) for each in agreement.compare(tasks, expected, found, least) if not each.agrees]
    assert wrong == []
    if wishes:
        assert answers(version, CONTENT, [0.0, 0.0, 2.0, 0.0])["objects_count"].tolist()[1:3] == [0, 0]
    for key in ("boxes", "scores", "classes", "count"):  # of what cannot be read
        np.testing.assert_array_equal(found[f"objects_{key}"][1], expected[f"objects_{key}"][1])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_among_others_is_told_of_as_it_is_alone(folder, name):
    version = Version(folder, name, None, Limits())
    together, maps = answers(version, CONTENT), version.runtime.signatures["serving_bytes"].maps
    for row, content in enumerate(CONTENT):
        alone, among = answers(version, [content]), rows.part(together, row, row + 1, maps)
        for key in alone:
            assert among[key].shape == alone[key].shape, key
        assert (among["errors"] == alone["errors"]).all()
        for key in ("image_sizes", "scene_probabilities", "weather_probabilities", "range_depth"):
            np.testing.assert_allclose(among[key], alone[key], rtol=1e-3, atol=1e-4, err_msg=key)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_neither_keras_nor_a_model_of_ours_is_in_memory(folder, name):
    program = (
        "import sys; sys.modules['keras'] = None\n"
        "from pathlib import Path; from visionmtl.serving import Limits, server\n"
        "from visionmtl.serving.version import Version\n"
        f"Version(Path({str(folder)!r}), {name!r}, None, Limits())\n"
        "print([each for each in sys.modules if each.startswith(('keras.', 'visionmtl.model', 'visionmtl.tasks'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
