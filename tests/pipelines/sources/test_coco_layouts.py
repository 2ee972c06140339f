"""Which folders the coco source understands, and which images belong to which split."""

import json
import shutil

import pytest

import pipelines

GOOD = (3, 10, 5, 20, 20)
MANY = {f"picture {i}.jpg": [GOOD] for i in range(60)}


def load(folder, **options):
    return pipelines.load("coco", (40, 60), 1, path=folder, shuffle=False, **options)


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_a_folder_per_split_is_read_and_test_may_be_absent(coco, tmp_path, name):
    coco({"a.jpg": [GOOD], "b.jpg": []}, at="data/train", masks=True)
    coco({"c.jpg": [GOOD]}, at=f"data/{name}", masks=True)
    data = load(tmp_path / "data")
    assert data.sizes == {"train": 2, "validation": 1}
    assert data.test is None
    assert data.specs[2].classes == ("background", "square", "bar")


def test_the_official_layout_is_read(coco, tmp_path):
    for split, year in (("train", "train2017"), ("val", "val2017")):
        folder = coco({f"{split}.jpg": [GOOD]}, at=split)
        (tmp_path / "annotations").mkdir(exist_ok=True)
        shutil.move(folder / "annotations.json", tmp_path / "annotations" / f"instances_{year}.json")
        shutil.move(folder / "images", tmp_path / year)
    assert load(tmp_path).sizes == {"train": 1, "validation": 1}


def test_images_may_lie_beside_the_json(coco):
    folder = coco({"a.jpg": [GOOD]}, at="data/train")
    shutil.move(folder / "images" / "a.jpg", folder / "a.jpg")
    (folder / "images").rmdir()
    assert load(folder.parent).sizes == {"train": 1}


def test_a_flat_folder_is_divided_by_name_into_splits_that_share_nothing(coco):
    folder = coco(MANY)
    data = load(folder)
    assert sum(data.sizes.values()) == 60
    assert data.sizes["train"] > 40
    assert load(folder, splits=["train", "test"]).sizes["test"] == data.sizes["test"]
    assert load(folder, splits=["test"], divide=True).sizes == {"test": data.sizes["test"]}


def test_a_flat_folder_is_whole_when_one_split_alone_is_asked_for(coco):
    folder = coco(MANY)
    assert load(folder, splits=["test"]).sizes == {"test": 60}
    with pytest.raises(pipelines.DataError, match="has no splits: ask for one of"):
        load(folder, divide=False)


def test_a_missing_training_split_or_the_only_split_asked_for_is_an_error(coco, tmp_path):
    coco({"a.jpg": [GOOD]}, at="data/val")
    with pytest.raises(pipelines.DataError, match="has no split 'train'; it has: validation"):
        load(tmp_path / "data")
    with pytest.raises(pipelines.DataError, match="has no split 'test'; it has: validation"):
        load(tmp_path / "data", splits=["test"])
    assert load(tmp_path / "data", splits=["val", "test"]).sizes == {"validation": 1}


def test_a_folder_of_another_kind_is_refused(tmp_path):
    with pytest.raises(pipelines.DataError, match="is no COCO data set: expected train/annotations.json"):
        load(tmp_path)


def test_a_category_that_only_a_later_split_has_is_refused(coco, tmp_path):
    coco({"a.jpg": [GOOD]}, at="data/train")
    val = coco({"b.jpg": [GOOD]}, at="data/val")
    content = json.loads((val / "annotations.json").read_text())
    content["categories"].append({"id": 9, "name": "disc"})
    (val / "annotations.json").write_text(json.dumps(content))
    with pytest.raises(pipelines.DataError, match="val/annotations.json': categories: 'disc' is not one of"):
        load(tmp_path / "data")


def test_names_may_have_spaces_other_letters_and_folders(coco):
    folder = coco({"Straße 1.jpg": [GOOD]}, at="data/train", masks=True)
    (folder / "images" / "süd").mkdir()
    (folder / "masks" / "süd").mkdir()
    shutil.move(folder / "images" / "Straße 1.jpg", folder / "images" / "süd" / "Straße 1.jpg")
    shutil.move(folder / "masks" / "Straße 1.png", folder / "masks" / "süd" / "Straße 1.png")
    path = folder / "annotations.json"
    path.write_text(path.read_text().replace(json.dumps("Straße 1.jpg"), json.dumps("süd/Straße 1.jpg")))
    assert load(folder.parent).sizes == {"train": 1}
