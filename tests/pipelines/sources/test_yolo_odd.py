"""Labels of YOLO that are nearly as they should be: known as YOLO, and what is wrong with a line is told."""

import pytest

import pipelines


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0, 0.5, 0.5, 0.2, 0.2", "no comma"),
        ("0 0,5 0,5 0,2 0,2", "no comma"),
        ("0,0.5,0.5,0.2,0.2", "no comma"),
        ("cat 0.5 0.5 0.2 0.2", "expected the number of class 'cat', its place in the names from 0"),
    ],
)
def test_a_folder_of_odd_lines_is_known_and_the_line_is_told(write, line, message):
    folder = write({"data.yaml": "names: [cat]", "images/a.jpg": None, "labels/a.txt": line})
    assert pipelines.recognise(folder) == "yolo"
    with pytest.raises(pipelines.DataError, match=f"a.txt': line 1: '{line}' is not all numbers: .*{message}"):
        pipelines.load(str(folder), batch_size=1, splits=["train"])


def test_comments_are_no_objects(write):
    text = "# cats\n0 0.5 0.5 0.2 0.2  # asleep\n"
    folder = write({"data.yaml": "names: [cat]", "images/a.jpg": None, "labels/a.txt": text})
    data = pipelines.load(str(folder), (40, 60), 1, splits=["train"])
    _, labels, _ = next(data.splits["train"].as_numpy_iterator())
    assert (labels["detection"]["classes"] == 0).sum() == 1


def test_labels_are_found_whichever_of_two_folders_called_images_is_meant(write):
    files = {"data.yaml": "names: [cat]"}
    for camera, labels in (("a", "labels/a/images"), ("b", "images/b/labels")):
        files |= {f"images/{camera}/images/{camera}.jpg": None, f"{labels}/{camera}.txt": "0 0.5 0.5 0.2 0.2"}
    data = pipelines.load(str(write(files)), (40, 60), 1, splits=["train"])
    classes = [labels["detection"]["classes"] for _, labels, _ in data.splits["train"].as_numpy_iterator()]
    assert [(own == 0).sum() for own in classes] == [1, 1]
