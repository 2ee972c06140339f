"""A folder's format, told by what lies in it."""

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


def test_a_csv_file_is_recognised_and_what_is_like_nothing_is_refused(tmp_path):
    (tmp_path / "a.csv").touch()
    assert pipelines.recognise(tmp_path / "a.csv") == "csv"
    (tmp_path / "empty").mkdir()
    with pytest.raises(pipelines.DataError, match="empty' is like no data set that is known: expected"):
        pipelines.recognise(tmp_path / "empty")
    with pytest.raises(pipelines.DataError, match="nowhere' is neither a folder nor a CSV file"):
        pipelines.recognise(tmp_path / "nowhere")
