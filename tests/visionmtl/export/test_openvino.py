"""OpenVINO models: run by OpenVINO in a process that has nothing else, and equal to the model they came from."""

import json

import numpy as np
import openvino
import pytest
import toys
from shown import pictures, spread

from visionmtl import export
from visionmtl.export import change

pytestmark = pytest.mark.slow
EVERY = ("scene", "objects", "ground", "weather", "range")
SIZES = [(50, 71), (33, 20), (1, 2), (131, 97)]


@pytest.fixture(scope="module")
def exported(toy_model, tmp_path_factory):
    """The folder of the proven export of a model of every kind of task, which has confidences."""
    model = spread(toy_model(toys.tasks(*EVERY), resize="letterbox"))
    model.confidences = {"objects": {"cat": 0.3, "dog": 0.6}}
    shown = [pictures((1, *size, 3))[0] for size in SIZES]
    return export.save(model, tmp_path_factory.mktemp("exported"), format="openvino", pictures=shown)


def test_every_task_says_of_pictures_of_any_size_what_the_model_says(exported):
    record = json.loads((exported / "export.json").read_text())
    assert record["pictures"] == [list(size) for size in SIZES]
    assert {each["output"] for each in record["formats"]["openvino"]} > {"objects_boxes", "ground_classes"}
    assert {path.name for path in exported.glob("model*")} == {"model.xml", "model.bin"}


def test_it_takes_any_number_of_pictures_and_names_what_it_answers(exported):
    model = openvino.Core().compile_model(exported / "model.xml", "CPU")
    assert [sorted(output.get_names()) for output in model.outputs if "ground_classes" in output.get_names()] == [
        ["ground_classes"]
    ]
    answered = model({"images": pictures((3, 20, 31, 3))})
    assert answered["ground_classes"].shape == (3, 20, 31)
    assert answered["objects_boxes"].shape == (3, 100, 4)
    told = answered["objects_classes"] >= 0
    least = np.array([0.3, 0.6])[answered["objects_classes"][told]]
    assert told.any()
    assert (answered["objects_scores"][told] >= least - 0.01).all()  # it may compute in bfloat16


@pytest.mark.parametrize("scheme", ["hard", "distillation", "experts"])  # the others as ONNX, which it is made of
def test_a_sharing_scheme_is_written(toy_model, tmp_path, scheme):
    model = spread(toy_model(toys.tasks("scene", "objects", "ground"), sharing=scheme))
    export.save(model, tmp_path, format="openvino", pictures=[pictures((1, 50, 71, 3))[0]])


def test_float16_is_half_as_large_and_is_measured_with_all_objects(toy_model, tmp_path, monkeypatch):
    model = spread(toy_model(toys.tasks("objects")))
    model.confidences = {"objects": {"cat": 1.0, "dog": 1.0}}  # so that the export itself tells of none
    seen, usual = [], change.changes
    monkeypatch.setattr(change, "changes", lambda *given: seen.extend(usual(*given)) or seen)
    batch = toys.batch(toys.tasks("objects"), images=4)
    given = {"validation": [batch], "metric_change": 0.05, "precision": "float32,float16"}
    version = export.save(model, tmp_path, format="openvino", **given)
    assert (version / "model.float16.bin").stat().st_size < 0.7 * (version / "model.bin").stat().st_size
    assert seen[0].model > 0
    assert seen[0].export == pytest.approx(seen[0].model, abs=0.05)
