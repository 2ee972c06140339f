"""Class folders, mask folders, and both at once."""

import json

import numpy as np
import pytest

import pipelines

MASK = np.zeros((40, 60), np.uint8)
MASK[5:25, 10:30] = 1


def name_classes(folder, *names, **more):
    (folder / "mask_classes.json").write_text(json.dumps({"classes": names, **more}))


def test_class_folders_are_the_classes(ask, sample, picture, names):
    for name in ("cats/tom.jpg", "dogs/rex.jpg", "dogs/old/kazan.jpg", ".hidden/x.jpg", "dogs/notes.txt"):
        picture(name, format="JPEG")
    source, _ = ask("folder")
    assert [(s.name, s.kind, s.classes) for s in source.specs] == [
        ("classification", "classification", ("cats", "dogs"))
    ]
    assert names(source) == ["tom.jpg", "rex.jpg", "kazan.jpg"]
    assert [int(sample(source, index=i)[0]["classification"]) for i in range(3)] == [0, 1, 1]
    assert sample(source)[1] == {"classification": 1}


def test_folders_of_splits_are_told_from_classes(ask, names, picture):
    for name in ("train/cats/a.jpg", "train/dogs/b.jpg", "val/dogs/c.jpg"):
        picture(name)
    source, _ = ask("folder", splits=("train", "validation", "test"))
    assert (names(source), names(source, "validation")) == (["a.jpg", "b.jpg"], ["c.jpg"])
    assert source.specs[0].classes == ("cats", "dogs")
    picture("aeroplane/d.jpg")  # a folder beside those of splits is none of them, nor are they classes because of it
    assert ask("folder")[0].specs[0].classes == ("cats", "dogs")


def test_a_class_folder_that_only_a_later_split_has_is_told(ask, names, picture):
    for name in ("train/cats/a.jpg", "val/cats/b.jpg", "val/cts/c.jpg"):
        picture(name)
    with pytest.raises(
        pipelines.DataError, match=r"val/cts': name of the folder: Unknown validation class 'cts'. Did you mean 'cats'"
    ):
        ask("folder", splits=("train", "validation"))
    source, skipped = ask("folder", splits=("train", "validation"), on_error="skip")
    assert (names(source, "validation"), len(skipped)) == (["b.jpg"], 1)


def test_masks_lie_beside_images_and_an_image_without_one_has_no_weight(ask, sample, picture, names, tmp_path):
    picture("images/a.jpg")
    picture("images/b.jpg")
    picture("masks/b.png", np.where(MASK == 0, 9, MASK))
    name_classes(tmp_path / "data", "ground", "thing", ignore=9)
    source, _ = ask("folder")
    assert [(s.name, s.classes) for s in source.specs] == [("segmentation", ("ground", "thing"))]
    assert names(source) == ["a.jpg", "b.jpg"]
    assert sample(source)[1] == {"segmentation": 0}
    labels, weights = sample(source, index=1)
    assert weights == {"segmentation": 1}
    np.testing.assert_array_equal(labels["segmentation"][..., 0], np.where(MASK == 0, 255, 1))


@pytest.mark.parametrize("mask", ["masks/train/cats/a.png", "masks/train/a.png"])
def test_both_at_once_and_pictures_that_lack_either(ask, sample, picture, names, mask):
    for name in ("images/train/cats/a.jpg", "images/train/dogs/b.jpg", "images/train/c.jpg", "images/val/cats/d.jpg"):
        picture(name)
    picture(mask, MASK)
    source, _ = ask("folder", mask_classes=["ground", "thing"], splits=("train", "validation"))
    assert names(source) == ["c.jpg", "a.jpg", "b.jpg"]
    weights = [sample(source, index=i)[1] for i in range(3)]
    assert [w["classification"] for w in weights] == [0, 1, 1]
    assert [w["segmentation"] for w in weights] == [0, 1, 0]
    assert sample(source, "validation")[1] == {"classification": 1, "segmentation": 0}


def test_pictures_without_splits_are_divided_and_none_is_lost(ask, names, picture):
    for i in range(30):
        picture(f"süße Katzen/bild {i}.jpg")
    source, _ = ask("folder", splits=("train", "validation", "test"))
    found = [name for split in source.splits for name in names(source, split)]
    assert sorted(found) == sorted(f"bild {i}.jpg" for i in range(30))
    assert len(names(ask("folder", splits=("test",))[0], "test")) == 30


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("masks/lost.png", r"Mask '.*lost.png' has no image of its name"),
        ("masks/a.bmp", r"Masks '.*a.png' and '.*a.bmp' are both of one image"),
    ],
)
def test_a_mask_that_belongs_to_no_image_is_told(ask, picture, mask, message):
    for stem in "ab":
        picture(f"images/{stem}.jpg")
        picture(f"masks/{stem}.png", MASK)
    picture(mask, MASK)
    with pytest.raises(pipelines.DataError, match=message):
        ask("folder", mask_classes=["ground", "thing"])
    assert len(ask("folder", mask_classes=["ground", "thing"], on_error="skip")[1]) == 1


@pytest.mark.parametrize("name", ["a.tif", "a.bmp", "a.gif", "a.PNG", "a.TIFF"])
def test_masks_may_be_of_any_format_that_keeps_values(ask, picture, sample, name):
    picture("images/a.jpg")
    picture(f"masks/{name}", MASK)
    source, _ = ask("folder", mask_classes=["ground", "thing"])
    np.testing.assert_array_equal(sample(source)[0]["segmentation"][..., 0], MASK)


def test_masks_of_a_format_that_changes_values_are_refused(ask, picture):
    picture("images/a.png")
    picture("masks/a.jpg", MASK)
    with pytest.raises(
        pipelines.DataError, match=r"Mask '.*a.jpg' is a JPEG file, a format that changes values: save it"
    ):
        ask("folder", mask_classes=["ground", "thing"])


def test_two_images_that_share_a_mask_are_told(ask, names, picture):
    for name in ("images/cats/a.jpg", "images/dogs/a.jpg"):
        picture(name)
    picture("masks/a.png", MASK)
    with pytest.raises(pipelines.DataError, match=r"Images '.*cats/a.jpg' and '.*dogs/a.jpg' share the mask"):
        ask("folder", mask_classes=["ground", "thing"])
    source, skipped = ask("folder", mask_classes=["ground", "thing"], on_error="skip")
    assert (names(source), len(skipped)) == (["a.jpg"], 1)


def test_masks_need_names_unless_they_are_not_asked_for(ask, picture):
    picture("images/cats/a.jpg")
    picture("masks/a.png", MASK)
    with pytest.raises(pipelines.DataError, match=r"masks in '.*' have no names: write them to '.*mask_classes.json'"):
        ask("folder")
    assert [s.name for s in ask("folder", tasks=("classification",))[0].specs] == ["classification"]


def test_a_mask_of_unknown_ids_or_another_size_stops_the_loading_or_is_skipped(picture, tmp_path, load):
    for name in "abc":
        picture(f"images/{name}.jpg")
    picture("masks/a.png", MASK)
    picture("masks/b.png", MASK * 7)
    picture("masks/c.png", MASK[:30])
    options = {"source": "folder", "mask_classes": ["ground", "thing"]}
    with pytest.raises(pipelines.DataError, match=r"masks/c.png' is 60 x 30, but image '.*images/c.jpg' is 60 x 40"):
        load(tmp_path / "data", **options)
    data = load(tmp_path / "data", **options, on_error="skip")
    assert data.sizes == {"train": 1}
    assert "b.png' has the value 7: expected 0 to 1, or 255" in data.skipped[1]


def test_a_folder_without_labels_is_refused(ask, picture):
    picture("a.jpg")
    with pytest.raises(pipelines.DataError, match="has neither pictures in class folders nor masks"):
        ask("folder")
