"""What is written can be measured by COCO's own evaluation, over the ids of the data set, and gives the same AP."""

import contextlib
import io
import json

import numpy as np
import pytest
import reds
import tensorflow as tf
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import pipelines
from visionmtl import prediction, recipe
from visionmtl.errors import UsageError
from visionmtl.prediction import confidences, numbering, wanted
from visionmtl.tasks import Detection

BOXES = [(10, 5, 30, 25), (3, 8, 33, 19), (20, 2, 31, 37), (1, 1, 50, 30)]
SIZES = [(40, 60), (64, 48), (90, 71), (33, 99)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A COCO set whose ids are none that anybody counts, in no order."""
    root = tmp_path_factory.mktemp("coco") / "data"
    images, annotations = [], []
    for place, (box, size, number) in enumerate(zip(BOXES, SIZES, (907, 31, 4_000_000_001, 7), strict=True)):
        reds.picture(root / "val" / "images" / f"{place}.png", size, box, 60 + 40 * place)
        images.append({"id": number, "file_name": f"{place}.png", "height": size[0], "width": size[1]})
        x_min, y_min, x_max, y_max = box
        sides = x_max - x_min, y_max - y_min
        for moved, category in ((0, 18), (7, 17)):
            row = {"bbox": [x_min + moved, y_min, *sides], "category_id": category, "iscrowd": 0}
            annotations.append(row | {"id": len(annotations) + 1, "image_id": number, "area": sides[0] * sides[1]})
    categories = [{"id": 17, "name": "dog"}, {"id": 18, "name": "cat"}, {"id": 90, "name": "bird"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (root / "val" / "annotations.json").write_text(json.dumps(content))
    return root


def of_data(data, resize="stretch"):
    """A recipe that reads the set at the size of the model without weights."""
    changes = ["data.source=coco", f"data.path={data}", "data.image_size=[32, 64]", f"data.resize={resize}"]
    return recipe.load("camvid", [*changes, "data.options={}", "tasks=[detection]"])


def measured(truth, results):
    """AP by COCO's own evaluation."""
    with contextlib.redirect_stdout(io.StringIO()):
        given = COCO(str(truth))
        evaluation = COCOeval(given, given.loadRes(str(results)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[0]


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_coco_s_evaluation_of_a_split_gives_our_ap(data, tmp_path, resize):
    model, given = reds.Reds("objects", size=(32, 64)), of_data(data, resize)
    options = prediction.Options(resize, confidence=0.0, overlays=0)
    prediction.run(model, prediction.of_split(given, "val"), tmp_path, options)
    found = measured(data / "val" / "annotations.json", tmp_path / "detections.json")

    metric = model.tasks["objects"].metrics()[0]
    spec = pipelines.LabelSpec("detection", "detection", ("cat", "dog"))
    loaded = pipelines.load(
        "coco", (32, 64), 4, path=data, splits=["val"], tasks=["detection"], resize=resize, specs=[spec]
    )
    for pictures, labels, weights in loaded.validation:
        decoded = model.decode(model(tf.cast(pictures, tf.float32)))
        own = {key.removeprefix("objects_"): value for key, value in decoded.items()}
        statistics = metric.statistics(labels["detection"], own, weights["detection"])
        metric.update({key: value.numpy() for key, value in statistics.items()})
    assert 0.2 < found < 0.9
    assert found == pytest.approx(metric.result()["AP"], abs=1e-9)


def test_the_ids_are_those_of_the_annotations_beside(data, tmp_path):
    (tmp_path / "others").mkdir()
    reds.picture(tmp_path / "others" / "5.png")
    there = wanted.on_disk([data / "val", tmp_path / "others"], None, data / "val" / "annotations.json")
    assert list(there.ids.images) == [907, 31, 4_000_000_001, 7]
    assert "Set aside, not listed in" in there.told
    assert "others/5.png" in there.told
    prediction.run(reds.Reds("objects"), there, tmp_path / "out", prediction.Options(confidence=0.0, overlays=0))
    rows = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert {row["category_id"] for row in rows} == {17, 18}
    assert json.loads((tmp_path / "out" / "labels.json").read_text())["objects"]["category_ids"] == {
        "cat": 18,
        "dog": 17,
    }
    with pytest.raises(UsageError, match="lists none of the 1 pictures"):
        wanted.on_disk([tmp_path / "others"], None, data / "val" / "annotations.json")


def test_a_class_that_the_data_set_does_not_know_gets_an_id_above_its_own():
    ids = numbering.Ids([1], {"cat": 18}, source="some.json")
    assert ids.of_classes([Detection("a", ["cat", "emu"])]) == ({"a": {"cat": 18, "emu": 19}}, ["emu"])
    counted, unknown = numbering.counted(3).of_classes([Detection("a", ["cat"]), Detection("b", ["cat", "emu"])])
    assert (counted, unknown) == ({"a": {"cat": 1}, "b": {"cat": 2, "emu": 3}}, [])


@pytest.mark.parametrize("content", ["", "[]", '{"images": [{"id": 1}], "categories": []}'])
def test_annotations_that_are_no_coco_are_refused(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UsageError, match="is no COCO file: expected JSON with 'images'"):
        numbering.read(tmp_path / "a.json")


def test_pictures_of_a_source_without_files_are_predicted_on_too(tmp_path):
    given = recipe.load("garments", ["data.options={train: 2, validation: 2, test: 3}", "data.image_size=[32, 32]"])
    out = prediction.run(reds.Reds("ground"), prediction.of_split(given, "test"), tmp_path, prediction.Options())
    assert sorted(reds.records(out.path)) == ["test-000001", "test-000002", "test-000003"]


def test_confidences_of_the_model_count_and_an_option_overrides_them(tmp_path):
    model, path = reds.Reds("objects"), reds.picture(tmp_path / "a.png", grey=200)  # scores of about 0.7 and 0.2
    drawn = {}
    for name, kept, asked in (
        ("old", {"objects": None}, None),
        ("kept", {"objects": {"cat": 0.5, "dog": 0.1}}, None),
        ("asked", {"objects": None}, {"cat": 0.9}),
    ):
        model.confidences = kept
        told = reds.records(prediction.predict(model, [path], tmp_path / name, confidence=asked))["a"]
        drawn[name] = (
            [each["class"] for each in told["objects"]["objects"]],
            (tmp_path / name / "overlays/a.png").read_bytes(),
        )
    assert [classes for classes, _ in drawn.values()] == [["cat", "dog"], ["cat", "dog"], []]
    assert len({overlay for _, overlay in drawn.values()}) == 3  # the old one shows no dog, of 0.2


def test_confidences_are_by_class_or_by_task_and_class():
    tasks = [Detection("a", ["cat", "dog"]), Detection("b", ["cat"])]
    assert confidences.chosen(tasks, {"a": None, "b": None}) == {}
    assert confidences.chosen(tasks, {}, 0.5) == {"a": {"cat": 0.5, "dog": 0.5}, "b": {"cat": 0.5}}
    kept = {"a": {"cat": 0.2, "dog": 0.3}, "b": {"cat": 0.1}}
    expected = {"a": {"cat": 0.6, "dog": 0.3}, "b": {"cat": 0.7}}
    assert confidences.chosen(tasks, kept, {"cat": 0.6, "b.cat": 0.7}) == expected
    assert confidences.chosen(tasks, kept, {"": 0.4, "b.cat": 0.7}) == {
        "a": {"cat": 0.4, "dog": 0.4},
        "b": {"cat": 0.7},
    }


def test_masks_are_of_class_ids_that_the_labels_name(tmp_path):
    out = prediction.predict(reds.Reds("ground"), [reds.picture(tmp_path / "a.png")], tmp_path / "out").parent
    told = json.loads((out / "labels.json").read_text())["ground"]
    assert told == {"kind": "segmentation", "classes": ["floor", "red"]}
    record = reds.records(out / "predictions.jsonl")["a"]
    assert np.asarray(Image.open(out / record["predictions"]["ground"])).max() == told["classes"].index("red")


def test_objects_are_counted_by_the_digits_that_are_written_of_their_scores():
    """Those that surely do not count are left out before: that changes nothing, at a threshold either."""
    least = {"cat": 0.35, "dog": 0.7}
    above, below = (np.nextafter(np.float32(x), np.float32(to)) for x, to in ((0.7, 1), (0.35, 0)))
    scores = np.array([above, 0.7, 0.7, 0.5, 0.35, below, 0, 0])
    predictions = {
        "boxes": np.tile(np.array([0, 0, 9, 9], "float32"), (8, 1)),
        "scores": scores.astype("float32"),
        "classes": np.array([1, 1, 0, 1, 0, 0, -1, -1], "int32"),
        "count": np.int32(6),
    }
    task = Detection("objects", list(least))
    every = task.annotations(predictions)
    assert [each["score"] for each in every[1:5]] == [0.7, 0.7, 0.5, 0.35]
    expected = [each for each in every if each["score"] >= least[task.classes[each["class"]]]]
    assert confidences.counted(task, predictions, least) == expected == [*every[:3], every[4]]
    assert confidences.counted(task, predictions, None) == every
