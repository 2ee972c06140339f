"""Layouts of pictures and their masks as people and tools have them."""

import json

import numpy as np
import pytest
from folder_files import COLOURS, GROUND, PHOTO, load, mask

import pipelines
from pipelines.errors import noted

MASKS = {
    "images and masks": ("images/{s}/{n}.jpg", "masks/{s}/{n}.png"),
    "images and labels": ("images/{s}/{n}.jpg", "labels/{s}/{n}.PNG"),
    "in each split": ("{s}/images/{n}.jpg", "{s}/masks/{n}.png"),
    "mmsegmentation": ("img_dir/{s}/{n}.jpg", "ann_dir/{s}/{n}.png"),
    "segnet": ("{s}/{n}.png", "{s}annot/{n}.png"),
    "camvid of kaggle": ("{s}/{n}.png", "{s}_labels/{n}_L.png"),
    "two of each split": ("{s}_images/{n}.jpg", "{s}_masks/{n}_mask.png"),
    "beside": ("{s}/{n}.jpg", "{s}/{n}_mask.png"),
    "deepglobe": ("{s}/{n}_sat.jpg", "{s}/{n}_mask.png"),
    "gt": ("{s}/images/{n}.JPG", "{s}/gt/{n}_gt.png"),
    "labels": ("images/{s}/{n}.jpg", "masks/{s}/{n}_label.png"),
    "one above": ("set/images/{s}/{n}.jpg", "set/masks/{s}/{n}.png"),
}


@pytest.mark.parametrize("layout", MASKS)
@pytest.mark.filterwarnings("ignore:The data set in:UserWarning")
def test_masks_are_found_by_the_names_of_their_images(write, clutter, layout):
    image, own = MASKS[layout]
    files = {image.format(s=s, n=n): None for s, n in (("train", "a"), ("train", "b"), ("val", "c"))}
    files |= {own.format(s=s, n=n): GROUND * (n != "b") for s, n in (("train", "a"), ("train", "b"), ("val", "c"))}
    folder = write(files | {"mask_classes.json": json.dumps({"classes": ["ground", "thing"]})})
    told = clutter()
    assert pipelines.recognise(folder) == "folder"
    data = load(folder)
    assert [(spec.name, spec.classes) for spec in data.specs] == [("segmentation", ("ground", "thing"))]
    assert data.sizes == {"train": 2, "validation": 1}
    np.testing.assert_array_equal(mask(data), GROUND)
    assert mask(data, index=1).max() == 0
    np.testing.assert_array_equal(mask(data, "validation"), GROUND)
    balance = data.accounts[0].balance()
    assert {*balance.lost} == told
    assert balance.used == {
        "image of train": 2,
        "mask of train": 2,
        "image of validation": 1,
        "mask of validation": 1,
    } | {"class names": 1}


def test_camvid_as_it_was_published(write):
    colours = "128 64 128\tRoad\n64 0 128\t\tCar\n"
    names = {"701_StillsRaw_full/0001TP_1.png": None, "LabeledApproved_full/0001TP_1_L.png": COLOURS}
    data = load(write(names | {"label_colors.txt": colours}), splits=["train"])
    assert data.specs[0].classes == ("Road", "Car")
    np.testing.assert_array_equal(mask(data), GROUND)


def test_camvid_as_cvat_exports_it(write):
    colours = "# r g b name\n128 64 128 road\n64 0 128 car\n"
    files = {"default/a.jpg": None, "defaultannot/a.png": COLOURS, "label_colors.txt": colours}
    data = load(write(files | {"default.txt": "/default/a.jpg /defaultannot/a.png\n"}), splits=["train"])
    assert data.specs[0].classes == ("road", "car")
    np.testing.assert_array_equal(mask(data), GROUND)
    assert not data.accounts[0].balance().lost


def test_masks_as_roboflow_exports_them(write):
    classes = "Pixel Value, Class\n0, background\n1, bird\n"
    files = {"train/a_jpg.rf.1.jpg": None, "train/a_jpg.rf.1_mask.png": GROUND, "train/_classes.csv": classes}
    files |= {"valid/b_jpg.rf.2.jpg": None, "valid/b_jpg.rf.2_mask.png": GROUND, "valid/_classes.csv": classes}
    folder = write(files)
    assert pipelines.recognise(folder) == "folder"
    data = load(folder)
    assert data.specs[0].classes == ("background", "bird")
    assert data.sizes == {"train": 1, "validation": 1}
    np.testing.assert_array_equal(mask(data, "validation"), GROUND)
    assert not data.accounts[0].balance().lost


def test_ade20k_counts_its_classes_from_1_and_0_is_ignored(write):
    values = GROUND * 2
    values[0] = 1
    info = "Idx\tRatio\tTrain\tVal\tStuff\tName\n1\t0.1576\t11664\t1172\t1\twall\n2\t0.1\t1\t1\t0\tbuilding, edifice\n"
    files = {"images/training/ADE_train_1.jpg": None, "annotations/training/ADE_train_1.png": values}
    files |= {"images/validation/ADE_val_1.jpg": None, "annotations/validation/ADE_val_1.png": values}
    folder = write(files | {"objectInfo150.txt": info, "sceneCategories.txt": "ADE_train_1 bathroom\n"})
    assert pipelines.recognise(folder) == "folder"
    data = load(folder)
    assert data.specs[0].classes == ("wall", "building")
    expected = np.where(GROUND == 1, 1, 255)
    expected[0] = 0
    np.testing.assert_array_equal(mask(data), expected)
    balance = data.accounts[0].balance()
    assert not balance.lost
    assert balance.aside == {"the scene of each picture, not read": ["sceneCategories.txt"]}


def test_cityscapes_in_the_folders_of_mmsegmentation_has_its_classes(write):
    values = np.where(GROUND == 1, 13, 0).astype(np.uint8)
    name = "train/aachen_000000_000019"
    data = load(
        write({f"img_dir/{name}_leftImg8bit.png": None, f"ann_dir/{name}_gtFine_labelTrainIds.png": values}),
        splits=["train"],
    )
    assert (data.specs[0].classes[0], data.specs[0].classes[13], len(data.specs[0].classes)) == ("road", "car", 19)
    np.testing.assert_array_equal(mask(data), values)


def test_trimaps_of_pets_count_from_1(write):
    values = (GROUND + 1).astype(np.uint8)
    values[0] = 3
    folder = write({"images/Abyssinian_1.jpg": None, "annotations/trimaps/Abyssinian_1.png": values})
    data = load(folder, splits=["train"])
    assert data.specs[0].classes == ("pet", "background", "border")
    np.testing.assert_array_equal(mask(data), values - 1)


def test_masks_of_classes_in_folders_are_both(write):
    files = {
        "images/cats/a.jpg": None,
        "masks/cats/a.png": GROUND,
        "images/dogs/b.jpg": None,
        "masks/dogs/b.png": GROUND,
    }
    data = load(write(files), splits=["train"], mask_classes=["ground", "thing"])
    assert [spec.name for spec in data.specs] == ["classification", "segmentation"]
    assert [int(labels["classification"][0]) for _, labels, _ in data.train] == [0, 1]
    np.testing.assert_array_equal(mask(data, index=1), GROUND)


def test_folders_of_images_that_have_masks_too_are_told_to_be_classes_unless_someone_asks(write):
    files = {f"images/{town}/a.jpg": None for town in ("aachen", "bonn")}
    folder = write(files | {f"masks/{town}/a.png": GROUND for town in ("aachen", "bonn")})
    with pytest.warns(UserWarning, match=r"read as classes \('aachen', 'bonn'\): if they are none, ask for the task"):
        load(folder, splits=["train"], mask_classes=["ground", "thing"])
    with noted() as messages:
        data = load(folder, splits=["train"], mask_classes=["ground", "thing"], tasks=["segmentation"])
    assert [spec.name for spec in data.specs] == ["segmentation"]
    assert not messages


def test_folders_of_images_that_no_two_splits_have_in_common_are_no_classes(write):
    towns = ("train/aachen", "train/bonn", "val/frankfurt")
    folder = write({f"images/{town}/a.jpg": None for town in towns} | {f"masks/{town}/a.png": GROUND for town in towns})
    told = r"images \('aachen', 'bonn', 'frankfurt'\) are not read as classes: no two splits have one in common"
    for splits in (["train", "validation"], ["validation"]):
        with pytest.warns(UserWarning, match=told):
            data = load(folder, splits=splits, mask_classes=["ground", "thing"])
        assert [spec.name for spec in data.specs] == ["segmentation"]
    with pytest.raises(pipelines.DataError, match="Unknown validation class 'frankfurt'"):
        load(folder, mask_classes=["ground", "thing"], classes=["aachen", "bonn"])


def test_folders_of_images_stop_nobody_who_asks_for_the_masks_alone(write):
    places = ("train/day", "val/day", "val/night")
    files = {f"images/{place}/a.jpg": None for place in places} | {f"masks/{place}/a.png": GROUND for place in places}
    folder, options = write(files), {"mask_classes": ["ground", "thing"]}
    with pytest.raises(pipelines.DataError, match="Unknown validation class 'night'"):
        load(folder, **options)
    with noted() as messages:
        data = load(folder, tasks=["segmentation"], **options)
    assert [spec.name for spec in data.specs] == ["segmentation"]
    assert data.sizes == {"train": 1, "validation": 2}
    assert not messages


def test_vessels_beside_masks_of_what_is_in_view_stop_until_one_is_left(write):
    files = {"training/images/21_training.tif": None, "training/1st_manual/21_manual1.gif": GROUND * 255}
    folder = write(files | {"training/mask/21_training_mask.gif": np.full_like(GROUND, 255)})
    with pytest.raises(pipelines.DataError, match="1st_manual' and 'mask' beside it may both hold the masks"):
        load(folder, splits=["train"], mask_classes=["ground", "vessel"])
    (folder / "training/mask").rename(folder.parent / "view")
    data = load(folder, splits=["train"], mask_classes=["ground", "vessel"])
    np.testing.assert_array_equal(mask(data), GROUND)


def test_masks_that_are_their_images_in_another_version_stop(write):
    folder = write({"input/a.png": PHOTO, "input/b.png": PHOTO, "target/a.png": PHOTO // 2, "target/b.png": PHOTO // 2})
    with pytest.raises(pipelines.DataError, match="target/a.png' is no mask, but another version of '.*input/a.png'"):
        load(folder, splits=["train"])


def test_a_split_that_is_not_asked_for_is_set_aside_with_its_masks(write):
    files = {"train/a.jpg": None, "train_masks/a.png": GROUND, "val/b.jpg": None, "val_masks/b.png": GROUND}
    data = load(write(files), splits=["train"], mask_classes=["ground", "thing"])
    assert data.accounts[0].balance().aside == {
        "of split validation, not asked for": ["val/b.jpg", "val_masks/b.png"],
    }


def test_pictures_without_a_mask_are_told(write):
    folder = write({"train/images/a.jpg": None, "train/masks/a.png": GROUND, "train/images/b.jpg": None})
    with pytest.warns(UserWarning, match="Split 'train': 1 of 2 pictures has no mask, as '.*b.jpg': not labelled"):
        load(folder, splits=["train"], mask_classes=["ground", "thing"])


def test_a_second_mask_of_a_picture_is_no_picture(write):
    files = {"train/b.png": None, "train/b_mask.png": GROUND}
    folder = write(files | {"train/a.png": None, "train/a_mask.png": GROUND, "train/a_mask_1.png": GROUND})
    with pytest.raises(pipelines.DataError, match="a_mask_1.png' are both of one image, .*: draw them into one"):
        load(folder, splits=["train"], mask_classes=["ground", "thing"])
    data = load(folder, splits=["train"], mask_classes=["ground", "thing"], on_error="skip")
    assert data.sizes == {"train": 2}
    assert set(data.accounts[0].balance().lost) == {"train/a_mask.png", "train/a_mask_1.png"}


def test_splits_that_lie_deeper_are_not_divided_anew(write):
    files = {f"images/10k/{split}/{split}.jpg": None for split in ("train", "val")}
    folder = write(files | {f"labels/seg/{split}/{split}.png": GROUND for split in ("train", "val")})
    with pytest.raises(pipelines.DataError, match="train' and '.*val' are named as splits, but lie deeper"):
        load(folder, mask_classes=["ground", "thing"])
    assert load(folder, splits=["train"], divide=False, mask_classes=["ground", "thing"]).sizes == {"train": 2}
