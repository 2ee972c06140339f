"""Every format of data sets that predictions are written in: our own source of that name reads the same labels back."""

import numpy as np
import pytest
import reds
import tensorflow as tf

from pipelines import sources
from pipelines.contract import Request
from visionmtl import prediction
from visionmtl.errors import UsageError
from visionmtl.prediction import formats

SIZES = {"a.png": (40, 60), "cats/a.jpg": (64, 48), "images/b.bmp": (33, 47), "a.webp": (30, 50)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of several formats and sizes, of names that collide, in a folder that YOLO has a meaning for."""
    root = tmp_path_factory.mktemp("pictures") / "photographs"
    for grey, (name, size) in enumerate(SIZES.items()):
        reds.picture(root / name, size, grey=60 + 30 * grey)
    return root


def known(name, path, *tasks):
    """What a source says of each picture: its pixels, and its labels by names of classes."""
    source = sources.get(name, {}).read(Request(path, ("train",), tasks or None, (40, 60), 9))
    classes = {spec.kind: spec.classes for spec in source.specs}
    split, found = source.splits["train"], {}
    for row in range(len(split.shapes)):
        sample = tf.nest.map_structure(lambda x: x.numpy(), split.read(tf.constant(row, tf.int64)))
        labels = {spec.kind: sample["labels"][spec.name] for spec in source.specs}
        found[sample["image"].tobytes()] = labels
    return found, classes


def boxes(label, classes):
    return [
        (classes[id_], *box.tolist()) for id_, box in zip(label["classes"], label["boxes"], strict=True) if id_ >= 0
    ]


@pytest.mark.parametrize("name", formats.names())
def test_its_labels_are_read_back_and_equal(folder, tmp_path, name):
    model = reds.Reds()
    told = reds.records(prediction.predict(model, [folder], tmp_path, format=name, confidence=0.0, overlays=0))
    path = tmp_path / name / "objects.csv" if name == "csv" else tmp_path / name
    found, classes = known(name, path)
    assert len(found) == len(told) == 4
    for picture in told.values():
        pixels = prediction.read(folder / picture["file_name"]).tobytes()
        expected = [
            (each["class"], x, y, x + width, y + height)
            for each in picture["objects"]["objects"]
            for x, y, width, height in [each["bbox"]]
        ]
        read = sorted(boxes(found[pixels]["detection"], classes["detection"]))
        assert [row[0] for row in read] == [row[0] for row in sorted(expected)]
        np.testing.assert_allclose([row[1:] for row in read], [row[1:] for row in sorted(expected)], atol=1e-4)
        if "segmentation" in formats.get(name).holds:
            assert classes["segmentation"] == ("floor", "red")
            mask = prediction.pictures.pictures.mask_values(tmp_path / picture["predictions"]["ground"])
            np.testing.assert_array_equal(found[pixels]["segmentation"][..., 0], mask)


def test_tables_of_classes_are_read_back(folder, tmp_path):
    told = reds.records(prediction.predict(reds.Reds("scene", "weather"), [folder], tmp_path, format="csv", overlays=0))
    scenes, named = known("csv", tmp_path / "csv" / "scene.csv")
    weather, _ = known("csv", tmp_path / "csv" / "weather.csv")
    for picture in told.values():
        pixels, said = prediction.read(folder / picture["file_name"]).tobytes(), picture["predictions"]
        best = named["classification"][scenes[pixels]["classification"]]
        assert best == max(said["scene"], key=said["scene"].get)
        assert weather[pixels]["multi_label"].tolist() == [value >= 0.5 for value in said["weather"].values()]


def test_pictures_are_copied_byte_for_byte_or_linked(folder, tmp_path):
    prediction.predict(reds.Reds("objects"), [folder], tmp_path / "copied", format="yolo")
    prediction.predict(reds.Reds("objects"), [folder], tmp_path / "linked", format="yolo", link=True)
    for place in ("copied", "linked"):
        copy = tmp_path / place / "yolo" / "images" / "train" / "images_" / "b.bmp"
        assert copy.read_bytes() == (folder / "images" / "b.bmp").read_bytes()
        assert copy.is_symlink() is (place == "linked")


def test_what_a_format_has_no_place_for_is_refused_or_told(folder, tmp_path, capsys):
    with pytest.raises(UsageError, match=r"labelme has a place for detection, and the model has 'range' \(depth\)"):
        prediction.predict(reds.Reds("range"), [folder], tmp_path / "a", format="labelme")
    prediction.predict(reds.Reds("objects", "range"), [folder], tmp_path / "b", format="labelme")
    assert "Not written as it was: 'range', as labelme has no place for it" in capsys.readouterr().out


def test_a_format_has_a_place_for_one_task_of_a_kind(folder, tmp_path):
    model = reds.Reds("objects")
    model.tasks["others"] = reds.Detection("others", ["emu"])
    with pytest.raises(
        UsageError, match="one task of detection, and the model has objects, others: choose one by --tasks"
    ):
        prediction.predict(model, [folder], tmp_path / "a", format="coco")
