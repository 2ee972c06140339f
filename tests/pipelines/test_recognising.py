"""A folder's format, told by what lies in it."""

import re

import pytest

import pipelines
from pipelines import sources


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (["annotations.json", "images/a.jpg"], "coco"),
        (["val/annotations.json", "val/images/a.jpg"], "coco"),
        (["annotations/instances_train2017.json"], "coco"),
        (["Annotations/a.xml", "JPEGImages/a.jpg"], "voc"),
        (["train/Annotations/a.xml"], "voc"),
        (["SegmentationClass/a.png"], "voc"),
        (["data.yaml", "labels/a.txt", "images/a.jpg"], "yolo"),
        (["coco8.yaml", "valid/labels/a.txt"], "yolo"),
        (["labels.csv", "images/a.jpg"], "csv"),
        (["cats/a.jpg"], "folder"),
        (["images/a.jpg", "masks/a.png"], "folder"),
        (["train/cats/a.jpg", "notes.txt"], "folder"),
        (["pack.json", "train-00000-of-00001.tfrecord"], "packed"),
        (["journal.jsonl", "train-00000-of-00002.tfrecord"], "packed"),
    ],
)
def test_a_format_is_recognised(tmp_path, files, source):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert pipelines.recognise(tmp_path) == source


def test_a_csv_file_is_recognised_and_what_is_absent_is_told(tmp_path):
    (tmp_path / "a.csv").touch()
    assert pipelines.recognise(tmp_path / "a.csv") == "csv"
    with pytest.raises(pipelines.DataError, match="nowhere' is neither a folder nor a file"):
        pipelines.recognise(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        ([], "is empty; expected pack.json (a pack), annotations.json"),
        (["a.mat", "b.mat", "c.txt", ".hidden"], "has 3 files (.mat, .txt); expected"),
        (["raw/a.bin", "README"], "has the folder raw and one file (no suffix); expected"),
        (["a/1", "b/1", "c/1", "d/1", "e/1"], "has the folders a, b, c, d and 1 more; expected"),
    ],
)
def test_what_is_like_nothing_is_refused_and_what_was_seen_is_told(tmp_path, files, seen):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(pipelines.DataError, match=re.escape(f"is like no data set that is known: it {seen}")):
        pipelines.recognise(tmp_path)


def test_the_lowest_rank_reads_what_several_recognise(tmp_path):
    for name in ("labels.csv", "annotations.json", "cats/a.jpg", "Annotations/a.xml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert pipelines.recognise(tmp_path) == "coco"
    (tmp_path / "pack.json").touch()
    assert pipelines.recognise(tmp_path) == "packed"


def test_two_of_one_rank_are_told_and_none_is_guessed(tmp_path, monkeypatch):
    class Twin(sources.SOURCES["coco"]):
        """The same again."""

    monkeypatch.setitem(sources.SOURCES, "twin", Twin)
    (tmp_path / "annotations.json").touch()
    with pytest.raises(pipelines.DataError, match="is like coco and twin: name the source"):
        pipelines.recognise(tmp_path)
