"""Layouts of pictures and masks as people have them, with what lies beside: splits, classes, and which is neither."""

import json

import numpy as np
import pytest
from PIL import Image

import pipelines
from pipelines.errors import noted

SIZE = (40, 60)
GROUND = np.zeros(SIZE, np.uint8)
GROUND[5:25, 10:30] = 1
ROAD, CAR = (128, 64, 128), (64, 0, 128)
COLOURS = np.where(GROUND[..., None] == 1, np.array(CAR, np.uint8), np.array(ROAD, np.uint8))


@pytest.fixture
def write(picture, tmp_path):
    """A function that writes files of these names, pictures or, where an array is given, masks, or texts."""

    def write(files):
        for name, content in dict.fromkeys(files, None).items() if not isinstance(files, dict) else files.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.write_text(content)
            elif name.lower().endswith((".jpeg", ".jpg")):
                Image.new("RGB", SIZE[::-1], (90, 90, 90)).save(path, "JPEG")
            else:
                picture(name, content)
        return tmp_path / "data"

    return write


@pytest.fixture
def clutter(tmp_path):
    """A function that leaves what people and systems leave beside data, and returns how many files are told."""

    def clutter():
        root = tmp_path / "data"
        files = ["README.md", "docs/figure.png", "__MACOSX/._a.jpg", ".DS_Store", "Thumbs.db", "unknown.json"]
        files += ["runs/cats-1/recipe.yaml", "runs/cats-1/history.csv", "runs/cats-1/samples/a.png", "runs/._a.png"]
        for name in files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("x")
        return {"docs/figure.png", "unknown.json"}

    return clutter


def load(folder, **options):
    options = {"splits": ["train", "validation"], "shuffle": False, **options}
    return pipelines.load(str(folder), SIZE, 1, **options)


def mask(data, split="train", index=0):
    return list(data.splits[split].as_numpy_iterator())[index][1]["segmentation"][0]


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


PHOTO = np.arange(40 * 60 * 3, dtype=np.uint32).reshape(40, 60, 3).astype(np.uint8)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("x", "y", "y' is like the masks of 'x'"),
        ("train/x", "train/y", "y' is like the masks of 'x'"),
        ("CXR_png", "CXR_masks", "CXR_masks' is like the masks of 'CXR_png'"),
        ("images", "1st_manual", "images' lies beside '1st_manual': which of them are classes cannot be told"),
        ("no_mask", "mask", "mask' lies beside 'no_mask': which of them are classes cannot be told"),
    ],
)
def test_masks_under_unknown_names_and_parts_beside_classes_are_refused(write, first, second, sentence):
    folder = write({f"{first}/{n}.png": PHOTO for n in "abc"} | {f"{second}/{n}.png": GROUND for n in "abc"})
    with pytest.raises(pipelines.DataError, match=f"{sentence}.*option classes"):
        load(folder, splits=["train"])
    names = [name.rpartition("/")[2] for name in (first, second)]
    assert load(folder, splits=["train"], classes=names).specs[0].classes == tuple(names)


def test_a_second_mask_of_a_picture_is_no_picture(write):
    folder = write({"train/a.png": None, "train/a_mask.png": GROUND, "train/a_mask_1.png": GROUND})
    with pytest.raises(pipelines.DataError, match="a_mask_1.png' is one of several of its image: draw them into one"):
        load(folder, splits=["train"], mask_classes=["ground", "thing"])
    data = load(folder, splits=["train"], mask_classes=["ground", "thing"], on_error="skip")
    assert data.sizes == {"train": 1}
    assert set(data.accounts[0].balance().lost) == {"train/a_mask_1.png"}


def test_splits_that_lie_deeper_are_not_divided_anew(write):
    files = {f"images/10k/{split}/{split}.jpg": None for split in ("train", "val")}
    folder = write(files | {f"labels/seg/{split}/{split}.png": GROUND for split in ("train", "val")})
    with pytest.raises(pipelines.DataError, match="train' and '.*val' are named as splits, but lie deeper"):
        load(folder, mask_classes=["ground", "thing"])
    assert load(folder, splits=["train"], divide=False, mask_classes=["ground", "thing"]).sizes == {"train": 2}


def test_classes_whose_pictures_have_the_same_names_are_classes(write):
    folder = write({f"{name}/{n}.png": PHOTO + k for k, name in enumerate(("cat", "dog")) for n in "abcdefgh"})
    assert load(folder, splits=["train"]).specs[0].classes == ("cat", "dog")
