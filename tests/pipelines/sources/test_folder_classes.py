"""Class folders as people have them, with what lies beside: splits, classes, and which is neither."""

import pytest
from folder_files import GROUND, PHOTO, load

import pipelines
from pipelines.errors import noted

CLASSES = {
    "class folders": ["train/cat/a.jpg", "train/dog/b.jpg", "val/cat/c.jpg", "val/dog/d.jpg"],
    "capitals": ["Train/cat/a.JPG", "Train/dog/b.jpg", "Validation/cat/c.jpg", "Validation/dog/d.jpg"],
    "imagenet": ["train/cat/a.JPEG", "train/dog/b.JPEG", "val/cat/c.JPEG", "val/dog/d.JPEG"],
    "in images": ["images/train/cat/a.jpg", "images/train/dog/b.jpg", "images/val/cat/c.jpg", "images/val/dog/d.jpg"],
    "in each images": [
        "train/images/cat/a.jpg",
        "train/images/dog/b.jpg",
        "val/images/cat/c.jpg",
        "val/images/dog/d.jpg",
    ],
    "one above": ["pets/train/cat/a.jpg", "pets/train/dog/b.jpg", "pets/val/cat/c.jpg", "pets/val/dog/d.jpg"],
    "in data": ["data/train/cat/a.jpg", "data/train/dog/b.jpg", "data/val/cat/c.jpg", "data/val/dog/d.jpg"],
}


@pytest.mark.parametrize("layout", CLASSES)
@pytest.mark.filterwarnings("ignore:The data set in:UserWarning")
def test_class_folders_in_splits_are_read_whatever_lies_beside_them(write, clutter, layout):
    folder = write(CLASSES[layout])
    told = clutter()
    assert pipelines.recognise(folder) == "folder"
    data = load(folder)
    assert [spec.classes for spec in data.specs] == [("cat", "dog")]
    assert data.sizes == {"train": 2, "validation": 2}
    assert [int(labels["classification"][0]) for _, labels, _ in data.train] == [0, 1]
    balance = data.accounts[0].balance()
    assert {*balance.lost} == told
    assert balance.files == sum(1 for file in folder.rglob("*") if file.is_file())


def test_a_data_set_one_folder_below_is_told(write):
    with pytest.warns(UserWarning, match="is taken to lie in 'pets', the only folder with pictures"):
        load(write(CLASSES["one above"]))


@pytest.mark.parametrize("testing", ["Testing", "test", "TEST"])
def test_splits_are_known_by_any_of_their_names(write, testing):
    folder = write(["Training/cat/a.jpg", "Training/dog/b.jpg", f"{testing}/cat/c.jpg", f"{testing}/dog/d.jpg"])
    assert load(folder, splits=["train", "test"]).sizes == {"train": 2, "test": 2}


PARTS = {
    "cityscapes": ["leftImg8bit/train/aachen/a_leftImg8bit.png", "gtCoarseX/train/aachen/a.png"],
    "flat splits": ["train/a.jpg", "val/b.jpg"],
    "flat splits and a class": ["train/a.jpg", "val/b.jpg", "aeroplane/c.jpg"],
    "darknet": ["obj_train_data/a.jpg", "obj_train_data/a.txt"],
    "voc": ["VOC2012/JPEGImages/a.jpg", "VOC2012/Annotations/a.xml"],
    "coco": ["train2017/a.jpg", "val2017/b.jpg"],
    "yolo": ["train/images/a.jpg", "train/labels/a.txt", "val/images/b.jpg", "val/labels/b.txt"],
    "images": ["images/a.jpg", "images/b.jpg"],
}


@pytest.mark.parametrize("layout", PARTS)
@pytest.mark.filterwarnings("ignore:The data set in:UserWarning")
def test_names_of_parts_are_no_classes_even_where_the_source_is_named(write, ask, layout):
    write(dict.fromkeys(PARTS[layout], None) | {name: "x" for name in PARTS[layout] if name.endswith((".txt", ".xml"))})
    with pytest.raises(pipelines.DataError, match="has neither pictures in class folders nor masks"):
        ask("folder")


@pytest.mark.parametrize(
    "names", ["training_set test_set", "seg_train/seg_train seg_test/seg_test", "Train/Train Test"]
)
def test_splits_under_longer_names_or_twice_below_each_other_are_no_classes(write, names):
    first, second = names.split()
    folder = write([f"{first}/cat/a.jpg", f"{first}/dog/b.jpg", f"{second}/cat/c.jpg", "seg_pred/d.jpg"])
    data = load(folder, splits=["train", "test"])
    assert data.specs[0].classes == ("cat", "dog")
    assert data.sizes == {"train": 2, "test": 1}
    assert set(data.accounts[0].balance().lost) == {"seg_pred/d.jpg"}


def test_a_class_with_the_longer_name_of_a_split_is_one(write):
    folder = write([f"{name}/day/{number}.jpg" for name in ("bullet_train", "car") for number in range(9)])
    assert load(folder, splits=["train"], divide=False).specs[0].classes == ("bullet_train", "car")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("trainA trainB testA testB", "trainA' and 'testA' beside it are called as splits with something more"),
        ("cats_train dogs_train cats_val", "cats_train' and 'cats_val' beside it are called as splits with someth"),
        ("training_set test_set", "training_set' and 'test_set' beside it are called as splits with something"),
        (
            "color/rust color/scab grey/rust grey/scab",
            "color' and 'grey' beside it have the same folders in them, 'rust', 'scab': which are the classes cannot",
        ),
    ],
)
def test_splits_under_names_that_nobody_knows_are_no_classes_until_they_are_named(write, names, sentence):
    folder = write([f"{name}/{n}.jpg" for name in names.split() for n in range(3)])
    with pytest.raises(pipelines.DataError, match=f"{sentence}.*name all in the option classes"):
        load(folder, splits=["train"])
    classes = sorted({name.partition("/")[0] for name in names.split()})
    assert load(folder, splits=["train"], classes=classes).specs[0].classes == tuple(classes)


def test_a_vehicle_called_train_is_a_class_beside_others(write):
    folder = write(["car/a.jpg", "train/b.jpg", "bus/c.jpg"])
    data = load(folder, splits=["train"])
    assert data.specs[0].classes == ("bus", "car", "train")
    assert data.sizes == {"train": 3}


def test_a_test_beside_class_folders_is_a_class_or_none_by_the_option(write):
    folder = write(["cat/a.jpg", "dog/b.jpg", "test/c.jpg"])
    with pytest.raises(
        pipelines.DataError, match="test' lies beside the class folders 'cat', 'dog': whether it is a cl"
    ):
        load(folder, splits=["train"])
    assert load(folder, splits=["train"], classes=["cat", "dog", "test"]).sizes == {"train": 3}
    data = load(folder, splits=["train"], classes=["cat", "dog"])
    assert data.sizes == {"train": 2}
    assert data.accounts[0].balance().aside == {"pictures without labels": ["test/c.jpg"]}


def test_a_flat_test_split_is_left_out_and_a_flat_validation_split_stops(write):
    folder = write(["train/cat/a.jpg", "train/dog/b.jpg", "test/1.jpg", "test/2.jpg"])
    with pytest.warns(UserWarning, match="Split 'test' is left out: the pictures in '.*test' have no labels"):
        data = load(folder, splits=["train", "test"])
    assert data.sizes == {"train": 2}
    assert data.accounts[0].balance().aside == {"pictures without labels, of split test": ["test/1.jpg", "test/2.jpg"]}
    with pytest.raises(pipelines.DataError, match="The pictures of split 'test' in '.*test' lie in no class folders"):
        load(folder, splits=["test"])
    write({"val/ILSVRC2012_val_1.jpg": None, "LOC_val_solution.csv": "ImageId,PredictionString\n"})
    with pytest.raises(
        pipelines.DataError, match="'validation' in '.*val' lie in no class folders.*a list of labels bes"
    ):
        load(folder)


def test_classes_that_a_split_lacks_and_an_empty_one_are_told_and_those_of_train_hold(write):
    folder = write(["train/cat/a.jpg", "train/dog/b.jpg", "val/dog/c.jpg"])
    (folder / "train" / "eel").mkdir()
    with pytest.warns(UserWarning, match="Split 'validation' has no picture of class 'cat', 'eel'"):
        data = load(folder, splits=["validation"])
    assert data.specs[0].classes == ("cat", "dog", "eel")
    assert [int(labels["classification"][0]) for _, labels, _ in data.validation] == [1]


def test_pictures_in_no_class_folder_and_folders_in_class_folders_are_told(write):
    folder = write(["cat/a.jpg", "dog/big/b.jpg", "c.jpg"])
    with noted() as messages:
        data = load(folder, splits=["train"])
    assert any("1 of 2 pictures lie deeper in class folders, as" in m and "class is 'dog'" in m for m in messages)
    assert any("One picture lies in no class folder, as" in m for m in messages)
    assert [float(w["classification"][0]) for _, _, w in data.train] == [0, 1, 1]


def test_a_picture_whose_name_goes_with_another_is_no_mask(write):
    names = [f"cat/{name}.png" for name in ("a", "a_l", "b", "b_mask", "c", "d")]
    data = load(write([*names, "dog/e.png"]), splits=["train"])
    assert [spec.name for spec in data.specs] == ["classification"]
    assert data.sizes == {"train": 7}


def test_pictures_elsewhere_are_found_through_links(write, tmp_path):
    folder = write(["store/cat/a.jpg", "store/dog/b.jpg"])
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "train").symlink_to(folder / "store", target_is_directory=True)
    data = load(tmp_path / "linked", splits=["train"])
    assert data.sizes == {"train": 2}
    assert data.specs[0].classes == ("cat", "dog")
    assert not data.accounts[0].balance().lost


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("x", "y", "y' is like the masks of 'x'"),
        ("train/x", "train/y", "y' is like the masks of 'x'"),
        ("CXR_png", "CXR_masks", "CXR_masks' is like the masks of 'CXR_png'"),
        ("images", "vessels", "images' lies beside 'vessels': which of them are classes cannot be told"),
        ("no_mask", "mask", "mask' lies beside 'no_mask': which of them are classes cannot be told"),
    ],
)
def test_masks_under_unknown_names_and_parts_beside_classes_are_refused(write, first, second, sentence):
    folder = write({f"{first}/{n}.png": PHOTO for n in "abc"} | {f"{second}/{n}.png": GROUND for n in "abc"})
    with pytest.raises(pipelines.DataError, match=f"{sentence}.*option classes"):
        load(folder, splits=["train"])
    names = [name.rpartition("/")[2] for name in (first, second)]
    assert load(folder, splits=["train"], classes=names).specs[0].classes == tuple(names)


def test_classes_whose_pictures_have_the_same_names_are_classes(write):
    files = {f"cat/{n}.png": PHOTO for n in "abcdefgh"} | {f"dog/{n}.png": PHOTO[:, ::-1] for n in "abcdefgh"}
    with noted() as messages:
        assert load(write(files), splits=["train"]).specs[0].classes == ("cat", "dog")
    assert not messages


def test_two_versions_of_the_same_pictures_are_told(write):
    folder = write({f"low/{n}.png": PHOTO // 3 for n in "ab"} | {f"high/{n}.png": PHOTO for n in "ab"})
    with pytest.warns(UserWarning, match="high' and 'low' beside it hold the same pictures in two versions, read as"):
        assert load(folder, splits=["train"]).specs[0].classes == ("high", "low")
