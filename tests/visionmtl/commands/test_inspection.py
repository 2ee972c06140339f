"""`visionmtl data inspect`: the tables, and the contact sheet."""

import json
import os
import signal

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import pipelines
from pipelines import LabelSpec, sources
from pipelines.contract import Source, Split
from pipelines.sources.base import Format
from visionmtl import cli
from visionmtl.commands.data import _inspection


@pytest.fixture
def cats(tmp_path, monkeypatch):
    """A folder of two classes, with masks for one picture; the working directory is another."""
    for name, shade in (("train/cats/a", 40), ("train/cats/b", 80), ("train/dogs/c", 120), ("val/dogs/c2", 120)):
        split, inner = name.split("/", 1)
        path = tmp_path / "pets" / split / "images" / f"{inner}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 40), (shade, shade, shade)).save(path)
    (tmp_path / "pets/train/masks").mkdir()
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 10:50] = 1
    Image.fromarray(mask).save(tmp_path / "pets/train/masks/a.png")
    (tmp_path / "pets/mask_classes.json").write_text('{"classes": ["background", "cats"]}')
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "pets"


def test_a_folder_is_recognised_counted_and_drawn(cats, printed):
    assert cli.main(["data", "inspect", str(cats)]) == 0
    shown = printed()
    assert shown[0] == f"'{cats}', read as folder"
    for line in (
        "train 3 1 60 x 40 60 x 40 60 x 40",
        "classification classification 2 3 (100%) 1 (100%)",
        "segmentation segmentation 2 1 (33%) 0 (0%)",
        "dogs 1 1",
        "cats 800 0",
        "Same pixels in several splits: 1",
        "train: train/images/dogs/c.png = validation: val/images/dogs/c2.png",
        "Nearly the same in several splits: none",
        "Too plain to be compared (of almost one shade): 4",
        "Cannot be used: none",
        "Contact sheet: pets-contact.png",
    ):
        assert line in shown
    with Image.open("pets-contact.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert pixels.shape[1] > 4 * 384
    # Grey pictures on white paper: what is coloured is the mask, in the first picture and in the legend alone.
    coloured = np.ptp(pixels, axis=-1) > 40
    assert coloured[:300, :400].any()
    assert not coloured[:300, 410:].any()


def test_a_broken_file_is_listed_and_the_rest_is_drawn(cats, printed):
    path = cats / "train/images/cats/b.png"
    path.write_bytes(path.read_bytes()[:50])
    assert cli.main(["data", "inspect", "folder", f"data.path={cats}", "--split", "train", "--out", "x.png"]) == 0
    shown = printed()
    assert "train 2 1 60 x 40 60 x 40 60 x 40" in shown
    assert f"Image '{path}' is truncated or damaged." in shown
    assert Image.open("x.png").width < 3 * 384


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fodler"], "'fodler' is neither a source nor a folder; sources are: cityscapes, coco, csv"),
        (["fodler"], "Did you mean 'folder'?"),
        (["{}", "data.path=x"], "is no source, and data.path names another folder"),
        (["folder", "data.pth=x"], "data inspect takes data.path=DIR and data.options.<option>=value only"),
        (["{}", "data.options.mask_clases=[a]"], "Did you mean 'mask_classes'?"),
        (["{}", "data.options.tasks=[a]"], "Unknown option of source 'folder' 'tasks'"),
        (["{}", "--split", "tran"], "Unknown split 'tran'. Did you mean 'train'?"),
        (["{}/mask_classes.json"], "is like no data set that is known: it is a file of kind .json"),
        (["{}", "--split", "test"], "has no split 'test'; it has: train, validation"),
        (["{}", "--out", "sheet"], "to be 'sheet': name a file that ends in .png"),
    ],
)
def test_a_mistake_is_one_sentence(cats, capsys, arguments, sentence):
    assert cli.main(["data", "inspect", *(text.format(cats) for text in arguments)]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_embedded_data_is_inspected_by_its_name(printed, tmp_path):
    options = [f"data.options.{split}=4" for split in ("train", "validation", "test")]
    assert cli.main(["data", "inspect", "garments", *options, "--out", str(tmp_path / "x.png")]) == 0
    shown = printed()
    assert shown[0] == "garments (built in)"
    assert "segmentation segmentation 11 4 (100%) 4 (100%) 4 (100%)" in shown


def test_regions_to_ignore_are_hatched(tmp_path):
    (tmp_path / "data/images").mkdir(parents=True)
    Image.new("RGB", (60, 40), (90, 90, 90)).save(tmp_path / "data/images/a.png")
    box = {"image_id": 1, "category_id": 1, "segmentation": []}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 40}],
        "categories": [{"id": 1, "name": "car"}],
        "annotations": [{**box, "id": 1, "bbox": [30, 0, 30, 40], "iscrowd": 1}],
    }
    (tmp_path / "data/annotations.json").write_text(json.dumps(content))
    out = tmp_path / "x.png"
    assert cli.main(["data", "inspect", str(tmp_path / "data"), "--split", "test", "--out", str(out)]) == 0
    with Image.open(out) as sheet:
        shades = np.asarray(sheet.convert("L"))[40:-40]
    left, right = shades[:, 20 : shades.shape[1] // 2 - 4], shades[:, shades.shape[1] // 2 + 4 : -20]
    assert set(np.unique(left[100:150])) == {90}
    assert {0, 90, 255} <= set(np.unique(right[100:150]))


class Twins(Format):
    """Two images with two tasks of boxes and two of masks, of which the second ones label the first image alone."""

    def read(self, request):
        names = {"cars": "detection", "signs": "detection", "ground": "segmentation", "sky": "segmentation"}
        boxes = np.array([[[0, 0, 4, 2], [0, 0, 9, 9]], [[0, 0, 2, 3], [2, 2, 4, 4]]], np.float32)
        classes = {"cars": [[1, -2], [0, 1]], "signs": [[0, -1], [-1, -1]]}
        masks = {"ground": np.ones((2, 8, 8, 1), np.uint8), "sky": np.full((2, 8, 8, 1), 255, np.uint8)}
        masks["sky"][0, :4] = 0

        def read(index):
            labels = {name: tf.constant(mask)[index] for name, mask in masks.items()}
            for name, rows in classes.items():
                labels[name] = {"boxes": tf.constant(boxes)[index], "classes": tf.constant(rows)[index]}
            weights = {name: tf.constant([1.0, 1.0 if name in ("cars", "ground") else 0.0])[index] for name in names}
            return {"image": tf.fill([8, 8, 3], tf.cast(index, tf.uint8)), "labels": labels, "weights": weights}

        specs = tuple(LabelSpec(name, kind, ("a", "b")) for name, kind in names.items())
        return Source(specs, {"train": Split(np.array([[8, 8]] * 2, np.int32), read)})


def test_two_tasks_of_one_kind_are_counted_and_shown_apart(monkeypatch, printed):
    monkeypatch.setitem(sources.SOURCES, "twins", Twins)
    survey = pipelines.survey("twins")
    counts = survey.splits["train"].counts
    assert {name: count.classes.tolist() for name, count in counts.items()} == {
        **{"cars": [1, 2], "signs": [1, 0], "ground": [0, 128], "sky": [32, 0]}
    }
    assert {name: (count.labelled, count.ignored, count.most) for name, count in counts.items()} == {
        **{"cars": (2, 1, 2), "signs": (1, 0, 1), "ground": (2, 0, 0), "sky": (1, 32, 0)}
    }
    assert sorted(map(tuple, counts["cars"].sizes.tolist())) == [(2, 2), (2, 3), (4, 2)]
    assert counts["signs"].sizes.tolist() == [[4, 2]]
    print(_inspection.report(survey))
    shown = printed()
    for line in ("cars boxes objects ignored", "train 3 1 2 2 x 2 2 x 3 4 x 2", "train 1 0 1 4 x 2 4 x 2 4 x 2"):
        assert any(found.startswith(line) for found in shown), line
    sheet = _inspection.contact_sheet(survey)
    assert sheet.shape[0] > 288


def test_pictures_that_are_alike_in_several_splits_are_counted_named_and_set_side_by_side(tmp_path, printed):
    scene = np.linspace(0, 255, 60 * 80).reshape(60, 80).astype(np.uint8)
    scene[20:40, 10:30] = 255 - scene[20:40, 10:30]
    for name, pixels in (("train/cats/a.png", scene), ("val/cats/b.jpg", scene), ("train/dogs/c.png", scene.T)):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).convert("RGB").save(path)
    (tmp_path / "data/val/dogs").mkdir()
    (tmp_path / "data/val/dogs/d.png").write_bytes((tmp_path / "data/train/dogs/c.png").read_bytes())
    out = tmp_path / "x.png"
    assert cli.main(["data", "inspect", str(tmp_path / "data"), "--out", str(out)]) == 0
    shown = printed()
    start = shown.index("Nearly the same in several splits: 1")
    assert shown[start + 1] == "what is measured on them flatters: 1 of 2 images in train, 1 of 2 images in validation"
    assert shown[start + 2].startswith("train: train/cats/a.png ~ validation: val/cats/b.jpg (")
    assert "train: train/dogs/c.png = validation: val/dogs/d.png" in shown
    with Image.open(out) as sheet:
        height = sheet.height
    assert height > 2 * 288, "a row of pairs stands below the pictures"
    assert cli.main(["data", "inspect", str(tmp_path / "data"), "--split", "val", "--out", str(out)]) == 0
    assert not [line for line in printed() if "several splits" in line], "one split alone was read"


def test_a_line_of_a_list_fits_and_one_of_a_table_stays():
    line = f"  set aside, of a split that is not asked for: 410 ({', '.join(['pictures/0001.xml'] * 9)})"
    assert max(map(len, _inspection._fitting(line, 60).splitlines())) <= 60
    assert _inspection._fitting("x" * 90, 60) == "x" * 90


def test_one_that_is_stopped_says_that_nothing_was_written(cats, monkeypatch, capsys):
    monkeypatch.setattr(pipelines, "survey", lambda *given, **options: os.kill(os.getpid(), signal.SIGINT))
    assert cli.main(["data", "inspect", str(cats)]) == 130
    assert capsys.readouterr().err == "\nvisionmtl: stopped by Ctrl-C. Nothing was written.\n"
