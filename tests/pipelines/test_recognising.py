"""A folder's format, told by what lies in it."""

import re

import folders
import pytest

import pipelines


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
        (["cats/a.jpg", "dogs/a.jpg"], "folder"),
        (["images/a.jpg", "masks/a.png"], "folder"),
        (["train/cats/a.jpg", "train/dogs/a.jpg", "notes.txt"], "folder"),
        (["pack.json", "train-00000-of-00001.tfrecord"], "packed"),
        (["journal.jsonl", "train-00000-of-00002.tfrecord"], "packed"),
    ],
)
def test_a_format_is_recognised(tmp_path, files, source):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert pipelines.recognise(tmp_path) == source


def test_a_table_is_recognised_by_the_pictures_that_it_names_and_not_by_its_suffix(tmp_path):
    for name in ("cats/a.jpg", "dogs/b.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "costs.csv").write_text("item,class,price\nlamp,b,3\n")
    (tmp_path / "files.csv").write_text("file,bytes\na.jpg,31\nb.jpg,52\n")  # it says nothing of what is in them
    assert pipelines.recognise(tmp_path) == "folder"
    (tmp_path / "labels.csv").write_text("file,class\na.jpg,tabby\nb.jpg,poodle\n")
    assert pipelines.recognise(tmp_path) == "csv"


def test_a_csv_file_is_recognised_and_what_is_absent_is_told(tmp_path):
    (tmp_path / "a.csv").touch()
    assert pipelines.recognise(tmp_path / "a.csv") == "csv"
    with pytest.raises(pipelines.DataError, match="nowhere' is neither a folder nor a file"):
        pipelines.recognise(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        ([], "is empty. Layouts are, among others, Cityscapes: leftImg8bit/"),
        (["a.mat", "b.mat", "c.txt", ".hidden"], "has 3 files (.mat, .txt). Layouts"),
        (["raw/a.bin", "README"], "has the folder raw and one file (no suffix). Layouts"),
        (["a/1", "b/1", "c/1", "d/1", "e/1"], "has the folders a, b, c, d and 1 more. Layouts"),
    ],
)
def test_what_is_like_nothing_is_refused_and_what_was_seen_is_told(tmp_path, files, seen):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(pipelines.DataError, match=re.escape(f"is like no data set that is known: it {seen}")):
        pipelines.recognise(tmp_path)


def test_a_folder_that_is_like_two_is_told_with_what_was_seen_and_none_is_guessed(tmp_path):
    for name in ("annotations.json", "Annotations/a.xml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = r"is like coco and voc at once: COCO \(annotations.json\); Pascal VOC \(Annotations.*Name the source, as"
    with pytest.raises(pipelines.DataError, match=expected):
        pipelines.recognise(tmp_path)


def test_of_what_lacks_a_sign_the_nearest_layouts_are_shown(tmp_path):
    (tmp_path / "data.yaml").touch()
    with pytest.raises(pipelines.DataError, match=r"layouts are YOLO, as Ultra.* \(not found: labels/\*.txt, of"):
        pipelines.recognise(tmp_path)


def test_masks_beside_the_images_of_an_index_are_not_another_format(tmp_path):
    for name in ("train/annotations.json", "train/images/a.jpg", "train/masks/a.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert pipelines.recognise(tmp_path) == "coco"


def test_a_source_that_cannot_read_a_folder_of_another_says_which_can(tmp_path):
    folders.voc(tmp_path / "cats")
    expected = r"is no COCO data set: .* It was read as coco, and is like Pascal VOC \(.*\): .* data.source=voc\."
    with pytest.raises(pipelines.DataError, match=expected):
        pipelines.load("coco", (32, 32), 2, path=tmp_path / "cats")
    (tmp_path / "empty").mkdir()  # like none: nothing is guessed
    with pytest.raises(pipelines.DataError) as told:
        pipelines.load("coco", (32, 32), 2, path=tmp_path / "empty")
    assert "data.source=" not in str(told.value)
