"""Which JSON of a folder is of which split, and which picture a `file_name` means."""

import pytest
from coco_files import CORNERS, beside, cat, cvat_flat, first, nested, picture, read, write

import pipelines


def test_two_files_for_one_split_stop_with_both_names_and_an_option_chooses(tmp_path):
    root = tmp_path / "data"
    nested(root)
    write(root / "annotations" / "instances_train2014.json", cat(["a.JPG"]))
    expected = (
        r"several files of labels for split 'train': annotations/instances_train2014.json, annotations/inst.*2017"
    )
    with pytest.raises(pipelines.DataError, match=expected):
        read(root)
    data, _ = read(root, annotations={"train": "annotations/instances_train2014.json"})
    assert data.sizes == {"train": 1}
    aside = data.accounts[0].balance().aside
    assert len(aside["not among the annotations that are asked for"]) == 2
    with pytest.raises(
        pipelines.DataError, match=r"Option annotations: .*instances_tran2014.json' does not exist. Did"
    ):
        read(root, annotations="annotations/instances_tran2014.json")


def test_a_file_for_training_alone_is_enough(tmp_path):
    root = tmp_path / "data"
    write(root / "train.json", cat([picture(root / "images" / "a.jpg")]))
    assert read(root)[0].sizes == {"train": 1}


def test_labels_of_other_pictures_stop_with_one_sentence(tmp_path):
    root = tmp_path / "data"
    picture(root / "images" / "c.jpg")
    write(root / "annotations.json", cat(["a.jpg", "b.jpg"]))
    with pytest.raises(pipelines.DataError, match=r"none of its 2 pictures is in '.*', as 'a.jpg': put them there"):
        pipelines.load(str(root), batch_size=1, splits=["train"], on_error="skip")


def test_a_picture_of_two_splits_and_one_that_nobody_lists_are_told(tmp_path):
    root = tmp_path / "data"
    cvat_flat(root)
    picture(root / "images" / "stray.jpg")
    write(root / "annotations" / "instances_val.json", cat(["a.jpg", "c.jpg"]))
    data, notes = read(root)
    assert any("1 image is in several splits, as '" in note for note in notes)
    reason = "a picture that no annotations list"
    assert data.accounts[0].balance().lost == {"images/stray.jpg": reason}


def test_what_holds_no_labels_is_said(tmp_path):
    root = tmp_path / "data"
    content = cat([picture(root / "images" / "a.jpg")])
    detections = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]
    without = {key: content[key] for key in ("images", "categories")}
    for name, inside, said in (
        ("annotations.json", without, "'annotations.json' holds images without labels, as COCO's image_info"),
        ("annotations.json", detections, "'annotations.json' holds what a model found"),
        ("annotations/captions_train2017.json", {**content, "annotations": [{"caption": "?"}]}, "holds captions"),
        ("annotations/panoptic_train.json", {**content, "annotations": [{"segments_info": []}]}, "holds panoptic seg"),
    ):
        write(root / name, inside)
        with pytest.raises(pipelines.DataError, match=said):
            pipelines.load("coco", path=root)
        (root / name).unlink()


def test_a_json_alone_is_told_to_name_its_folder(tmp_path):
    beside(tmp_path / "data")
    with pytest.raises(
        pipelines.DataError, match=r"is a file: name its folder, and data.options.annotations=labels_my"
    ):
        read(tmp_path / "data" / "labels_my-project_2024-05-01.json")


@pytest.mark.parametrize(
    ("written", "on_disk"),
    [
        ("images/a.jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("/home/user/project/images/a.jpg", "a.jpg"),
        ("C:\\data\\train\\a.jpg", "a.jpg"),
        ("..\\..\\media\\upload\\4\\a.jpg", "a.jpg"),
        ("http://images.cocodataset.org/train2017/a.jpg", "a.jpg"),
        ("A.JPG", "a.jpg"),
        ("u\u0308ber.jpg", "\u00fcber.jpg"),
        ("my%20cat.jpg", "my cat.jpg"),
        ("my cat.jpg", "my%20cat.jpg"),
        ("a.jpg", "90fbb0c7-a.jpg"),
        ("90fbb0c7-a.jpg", "a.jpg"),
    ],
)
def test_a_file_name_is_found_by_a_rule_that_is_told(wild, written, on_disk):
    data, notes = wild(names=(on_disk, "z.jpg"), files=(written, "z.jpg"))
    assert data.sizes == {"train": 2}
    assert first(data)[1] == CORNERS
    if written != "images/a.jpg":
        assert any("file_name of one image is not as the picture lies here, as" in note for note in notes)


def test_a_file_name_that_could_be_two_pictures_is_refused(wild):
    names = ("one/a.jpg", "two/a.jpg", "z.jpg")
    with pytest.raises(pipelines.DataError, match="'a.jpg' could be 'images/one/a.jpg' or 'images/two/a.jpg'"):
        wild(names=names, files=("a.jpg", "z.jpg"))
    data, _ = wild(names=names, files=("a.jpg", "z.jpg"), on_error="skip")
    assert data.sizes == {"train": 1}
    assert data.accounts[0].balance().annotations_lost.total() == 1
    with pytest.raises(
        pipelines.DataError, match="file_name 'z.jpg' and './z.jpg' both are 'images/z.jpg'|'./z.jpg' and"
    ):
        wild(names=("z.jpg",), files=("z.jpg", "./z.jpg"))


def test_an_address_does_where_there_is_no_file_name(wild):
    def change(content):
        content["images"][0]["coco_url"] = f"http://a.org/x/{content['images'][0].pop('file_name')}"

    assert first(wild(change)[0])[1] == CORNERS


def test_pictures_may_be_links_and_one_that_leads_nowhere_is_named(tmp_path):
    root = tmp_path / "data"
    write(root / "labels.json", cat([picture(tmp_path / "elsewhere" / f"{name}.JPG") for name in "ab"]))
    (root / "data").symlink_to(tmp_path / "elsewhere")
    (root / "data2.jpg").symlink_to("nowhere.jpg")
    data, _ = read(root, splits=["train"])
    assert data.sizes == {"train": 2}
    assert data.accounts[0].balance().lost == {"data2.jpg": "a link to 'nowhere.jpg', where nothing is"}
