"""YOLO folders as each tool writes them: recognised, read unaided, every file accounted for."""

import json
import warnings

import pytest

import pipelines
from pipelines.accounts.account import Balance

BOX = "0 0.3333333 0.375 0.3333333 0.5"  # 10, 5, 30, 25 of 60 x 40
OTHER = "1 0.75 0.5 0.5 0.5"  # 30, 10, 60, 30
CVAT_DATA = "classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\nbackup = backup/\n"
DATA = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['cat', 'dog']\n\n"
ROBOFLOW = f"{DATA}roboflow:\n  workspace: zoo\n  version: 3\n"
ULTRALYTICS = "path: ../datasets/pets\ntrain: images/train\nval: images/val\ntest:\n\nnames:\n  0: cat\n  1: dog\n"
ELSEWHERE = (
    "train: /content/drive/MyDrive/pets/images/train\nval: 'C:\\me\\pets\\images\\val'\nnames: {'0': cat, '1': dog}"
)
CVAT = "names:\n  0: cat\n  1: dog\npath: .\ntrain: train.txt\nval: val.txt\n"
NOTES = json.dumps({"categories": [{"id": 1, "name": "dog"}, {"id": 0, "name": "cat"}], "info": {"version": "1.0"}})
CATS = "cat\ndog\n"

# Of each layout the files with their text; a picture has None. Every one has a.jpg to train on and b.jpg to validate.
LAYOUTS = {
    "ultralytics": {
        "data.yaml": ULTRALYTICS,
        "images/train/a.jpg": None,
        "labels/train/a.txt": BOX,
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
        "labels/train.cache": "binary",
        "labels.jpg": None,
        "runs/detect/predict/labels/a.txt": f"{BOX} 0.9",
        "runs/detect/train/val_batch0_pred.jpg": None,
    },
    "ultralytics of another machine": {
        "pets.yaml": ELSEWHERE,
        "images/train/a.jpg": None,
        "labels/train/a.txt": BOX,
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
    },
    "coco128": {
        "data.yaml": "train: images/train2017\nval: images/val2017\nnames: [cat, dog]\ndownload: https://x.org/a.zip\n",
        "images/train2017/a.jpg": None,
        "labels/train2017/a.txt": BOX,
        "images/val2017/b.jpg": None,
        "labels/val2017/b.txt": OTHER,
    },
    "years without keys": {
        "data.yaml": "names: [cat, dog]\n",
        "images/train2017/a.jpg": None,
        "labels/train2017/a.txt": BOX,
        "images/val2017/b.jpg": None,
        "labels/val2017/b.txt": OTHER,
    },
    "lists of folders": {
        "data.yaml": "train: [images/one, images/two]\nval:\n- images/val\nnames: [cat, dog]\n",
        "images/one/a.JPG": None,
        "labels/one/a.TXT": BOX,
        "images/two/c.jpg": None,
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
    },
    "a yaml above": {
        "pets.yaml": "path: pets\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n",
        "pets/images/train/a.jpg": None,
        "pets/labels/train/a.txt": BOX,
        "pets/images/val/b.jpg": None,
        "pets/labels/val/b.txt": OTHER,
    },
    "an archive in its folder": {
        "pets-3/data.yaml": ROBOFLOW,
        "pets-3/train/images/a.jpg": None,
        "pets-3/train/labels/a.txt": BOX,
        "pets-3/valid/images/b.jpg": None,
        "pets-3/valid/labels/b.txt": OTHER,
    },
    "roboflow": {
        "data.yaml": ROBOFLOW,
        "README.roboflow.txt": "pets - v3\n",
        "README.dataset.txt": "# pets\n",
        "train/images/a.jpg": None,
        "train/labels/a.txt": BOX,
        "valid/images/b.jpg": None,
        "valid/labels/b.txt": OTHER,
    },
    "roboflow darknet": {
        "README.roboflow.txt": "pets - v3\n",
        "train/_darknet.labels": CATS,
        "train/a.jpg": None,
        "train/a.txt": BOX,
        "valid/_darknet.labels": CATS,
        "valid/b.jpg": None,
        "valid/b.txt": OTHER,
    },
    "cvat": {
        "obj.data": CVAT_DATA,
        "obj.names": CATS,
        "train.txt": "data/obj_train_data/a.jpg\n",
        "valid.txt": "data/obj_valid_data/b.jpg\n",
        "obj_train_data/a.jpg": None,
        "obj_train_data/a.txt": BOX,
        "obj_valid_data/b.jpg": None,
        "obj_valid_data/b.txt": OTHER,
    },
    "cvat of today": {
        "obj.data": CVAT_DATA.replace("data/", ""),
        "obj.names": CATS,
        "train.txt": "obj_Train_data/a.jpg\n",
        "valid.txt": "obj_valid_data/b.jpg\n",
        "obj_Train_data/a.jpg": None,
        "obj_Train_data/a.txt": BOX,
        "obj_valid_data/b.jpg": None,
        "obj_valid_data/b.txt": OTHER,
    },
    "cvat without lists": {
        "obj.names": CATS,
        "obj_train_data/a.jpg": None,
        "obj_train_data/a.txt": BOX,
        "obj_Validation_data/b.jpg": None,
        "obj_Validation_data/b.txt": OTHER,
    },
    "cvat ultralytics": {
        "data.yaml": CVAT,
        "train.txt": "images/train/a.jpg\n",
        "val.txt": "./images/val/b.jpg\n",
        "images/train/a.jpg": None,
        "labels/train/a.txt": f"{BOX} 7",
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
    },
    "label studio, in splits": {
        "classes.txt": CATS,
        "notes.json": NOTES,
        "images/train/1a2b3c4d-a.jpg": None,
        "labels/train/1a2b3c4d-a.txt": BOX,
        "images/val/b.jpg": None,
        "labels/val/5e6f7a8b-b.txt": OTHER,
    },
    "fiftyone": {
        "dataset.yaml": "names:\n- cat\n- dog\npath: /home/me/pets\ntrain: ./images/train/\nval: ./images/val/\n",
        "images/train/a.jpg": None,
        "labels/train/a.txt": BOX,
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
    },
}
UNSPLIT = {
    "label studio": {
        "classes.txt": CATS,
        "notes.json": NOTES,
        "images/1a2b3c4d-a.jpg": None,
        "labels/1a2b3c4d-a.txt": BOX,
    },
    "labelImg": {"images/a.jpg": None, "labels/a.txt": BOX, "labels/classes.txt": CATS},
    "makesense": {"images/a.jpg": None, "labels/a.txt": BOX, "labels/labels.txt": CATS, "obj.names": CATS},
    "darknet": {"obj.names": CATS, "a.jpg": None, "a.txt": BOX, "b.JPG": None},
    "darknet in a folder": {"classes.txt": CATS, "set/a.jpg": None, "set/a.txt": BOX},
    "fiftyone v4": {"obj.names": CATS, "images.txt": "data/a.jpg\n", "data/a.jpg": None, "data/a.txt": BOX},
    "flat with a yaml": {"data.yaml": "names: [cat, dog]", "a.jpg": None, "a.txt": BOX},
}
CLUTTER = {
    "README.md": "# pets",
    "docs/plan.html": "<p>",
    "__MACOSX/._a.jpg": "x",
    ".DS_Store": "x",
    "Thumbs.db": "x",
    "images/._a.txt": "x",
    "labels/._a.txt": "x",
    "our/recipe.yaml": "data:",
    "our/history.csv": "epoch",
    "our/samples/a.png": None,
}


@pytest.fixture
def lay(tmp_path, picture):
    """A function that writes files, of which those of None are pictures, to `tmp_path / "data"`, and returns it."""

    def lay(files):
        for name, text in files.items():
            if text is None:
                picture(name, format="PNG" if name.endswith("png") else "JPEG")
            else:
                path = tmp_path / "data" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, newline="")
        return tmp_path / "data"

    return lay


def balance_of(folder, **options) -> Balance:
    (account,) = pipelines.survey(pipelines.recognise(folder), folder, **options).source.accounts
    balance = account.balance()
    assert balance.files == sum(path.is_file() for path in folder.rglob("*"))
    return balance


def boxes(batches):
    """The classes and boxes of each picture, at 60 x 40."""
    found = []
    for _, labels, _ in batches:
        for ids, rows in zip(*(labels["detection"][key].numpy() for key in ("classes", "boxes")), strict=True):
            found.append([(int(i), *row.round(2).tolist()) for i, row in zip(ids, rows, strict=True) if i >= 0])
    return found


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_recognised_and_its_splits_are_read(lay, name):
    folder = lay(LAYOUTS[name] | CLUTTER)
    assert pipelines.recognise(folder) == "yolo"
    data = pipelines.load(str(folder), (40, 60), 1, shuffle=False)
    assert data.specs[1].classes == ("cat", "dog")
    assert set(data.splits) == {"train", "validation"}
    assert boxes(data.train)[0] == [(0, 10, 5, 30, 25)]
    assert boxes(data.validation) == [[(1, 30, 10, 60, 30)]]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_file_of_a_layout_is_accounted_for_and_a_stray_one_is_told(lay, name):
    folder = lay(LAYOUTS[name] | CLUTTER)
    balance = balance_of(folder)
    assert not balance.lost
    assert balance.used["image of train"] == 1
    assert balance.used["image of validation"] == 1
    (folder / "stray.json").write_text("{}")
    assert [*balance_of(folder).lost] == ["stray.json"]


@pytest.mark.parametrize("name", UNSPLIT)
def test_a_layout_without_splits_is_recognised_and_is_all_of_the_split_asked_for(lay, name):
    folder = lay(UNSPLIT[name] | CLUTTER)
    assert pipelines.recognise(folder) == "yolo"
    data = pipelines.load(str(folder), (40, 60), 1, splits=["train"], shuffle=False)
    assert data.specs[1].classes == ("cat", "dog")
    assert boxes(data.train)[0] == [(0, 10, 5, 30, 25)]
    assert not balance_of(folder, splits=["train"]).lost


def test_a_layout_without_splits_is_divided_and_what_falls_elsewhere_is_set_aside(lay):
    files = {"classes.txt": CATS, "stray.json": "{}"}
    for i in range(30):
        files |= {f"images/{i}.jpg": None, f"labels/{i}.txt": BOX}
    folder = lay(files)
    data = pipelines.load(str(folder), (40, 60), 1)
    assert sum(data.sizes.values()) == 30
    balance = balance_of(folder, splits=["train"], divide=True)
    assert [*balance.lost] == ["stray.json"]
    assert len(balance.aside["of a split that is not asked for"]) == 2 * (30 - data.sizes["train"])


def test_what_is_of_a_split_not_asked_for_is_set_aside(lay):
    for name in ("roboflow", "cvat", "cvat ultralytics"):
        folder = lay({f"{name}/{file}": text for file, text in LAYOUTS[name].items()}) / name
        balance = balance_of(folder, splits=["train"])
        assert not balance.lost
        assert {file[-5:] for file in balance.aside["of split validation, not asked for"]} >= {"b.jpg", "b.txt"}


def test_images_without_a_text_file_show_no_object_and_are_counted(lay):
    folder = lay({"classes.txt": CATS, "images/a.jpg": None, "images/b.jpg": None, "labels/a.txt": BOX})
    balance = balance_of(folder, splits=["train"])
    assert balance.used["image of train"] == 1
    assert balance.used["image of train, without labels: background"] == 1


@pytest.mark.parametrize("names", ["labels only", "with its list"])
def test_an_export_of_labels_alone_is_refused_with_the_remedy(lay, names):
    files = {"obj.names": CATS, "obj_train_data/a.txt": BOX}
    if names == "with its list":
        files |= {"train.txt": "obj_train_data/a.jpg\n", "obj.data": CVAT_DATA}
    folder = lay(files)
    assert pipelines.recognise(folder) == "yolo"
    with pytest.raises(pipelines.DataError, match=r"has labels and no pictures: export it with its images"):
        pipelines.load(str(folder))


def test_a_split_that_is_named_and_absent_is_a_note_unless_it_is_asked_for(lay):
    folder = lay(LAYOUTS["roboflow"])
    expected = r"data.yaml': test is '../test/images', which is missing from .*data'"
    with pytest.warns(UserWarning, match=f"{expected}: there is no split 'test'"):
        pipelines.load(str(folder), batch_size=1)
    with pytest.raises(pipelines.DataError, match=expected):
        pipelines.load(str(folder), splits=["test"])
    settings = {"data.yaml": "train: images/train\nval: images/val\nnames: [cat, dog]"}
    folder = lay(settings | {"images/train/a.jpg": None, "labels/train/a.txt": BOX})
    with pytest.warns(UserWarning, match=r"val is 'images/val', which is missing"):
        assert set(pipelines.load(str(folder), batch_size=1).splits) == {"train"}


def test_a_split_without_any_label_is_left_out_with_a_note(lay):
    folder = lay(LAYOUTS["roboflow"] | {"test/images/c.jpg": None})
    with pytest.warns(
        UserWarning, match=r"Split 'test' of .* has no labels: none of its 1 images has a text file; it is"
    ):
        assert "test" not in pipelines.load(str(folder), batch_size=1).splits
    assert balance_of(folder).aside["of split test, which has no labels"] == ["test/images/c.jpg"]


def test_subsets_of_other_names_are_set_aside_or_divided_with_a_note(lay):
    folder = lay(LAYOUTS["cvat without lists"] | {"obj_spare_data/c.jpg": None, "obj_spare_data/c.txt": BOX})
    assert len(balance_of(folder).aside["of the subset spare, which is no split"]) == 2
    only = lay(
        {f"only/{k}": v for k, v in {"obj.names": CATS, "obj_one_data/c.jpg": None, "obj_one_data/c.txt": BOX}.items()}
    )
    with pytest.warns(UserWarning, match="one: no split is called so: they are taken together"):
        assert pipelines.load(str(only / "only"), batch_size=1, splits=["train"]).sizes == {"train": 1}


def test_splits_in_two_ways_and_two_data_sets_in_one_folder_are_refused(lay):
    folder = lay(
        {
            "data.yaml": "names: [cat, dog]",
            "images/train/a.jpg": None,
            "labels/train/a.txt": BOX,
            "train/images/b.jpg": None,
            "train/labels/b.txt": BOX,
        }
    )
    with pytest.raises(pipelines.DataError, match="has splits in several ways, '.*images/train' and '.*train/images'"):
        pipelines.load(str(folder))
    two = {f"two/{side}/{name}": text for side in ("x", "y") for name, text in UNSPLIT["labelImg"].items()}
    with pytest.raises(pipelines.DataError, match="holds several data sets, in 'x/' and 'y/'"):
        pipelines.load(str(lay(two) / "two"))


def test_pictures_that_no_list_names_are_set_aside(lay):
    folder = lay(LAYOUTS["cvat"] | {"obj_train_data/c.jpg": None, "obj_train_data/c.txt": BOX})
    assert len(balance_of(folder).aside["in the list of no split"]) == 2


def test_lists_take_the_paths_of_another_machine_and_tell_the_line_of_what_is_missing(lay):
    files = LAYOUTS["cvat ultralytics"]
    for written in ("/content/drive/pets/images/train/a.jpg", r"D:\pets\images\train\a.jpg", "../images/train/a.jpg"):
        folder = lay(files | {"train.txt": f"\ufeff{written}\r\n"})
        assert pipelines.load(str(folder), batch_size=1).sizes == {"train": 1, "validation": 1}
    folder = lay(files | {"train.txt": "images/train/a.jpg\nimages/train/z.jpg\n"})
    with pytest.raises(pipelines.DataError, match=r"train.txt': line 2: image 'images/train/z.jpg' is missing from"):
        pipelines.load(str(folder), batch_size=1)


def test_links_are_followed_and_labels_found_beside_the_link_or_else_its_target(lay, tmp_path, picture):
    for name in ("x", "y"):
        picture(f"../store/images/{name}.jpg")
    (tmp_path / "store/labels").mkdir()
    (tmp_path / "store/labels/x.txt").write_text(BOX)
    (tmp_path / "store/labels/y.txt").write_text(BOX)
    folder = lay({"classes.txt": CATS, "labels/y.txt": OTHER})
    (folder / "images").symlink_to(tmp_path / "store/images")
    data = pipelines.load("yolo", (40, 60), 1, path=folder, splits=["train"], shuffle=False)
    assert boxes(data.train) == [[(0, 10, 5, 30, 25)], [(1, 30, 10, 60, 30)]]
    balance = data.accounts[0].balance()
    assert (not balance.lost, balance.elsewhere) == (True, {"annotations": 1})


def test_labels_that_are_a_link_to_nothing_cost_their_image_and_make_no_background(lay):
    folder = lay({"classes.txt": CATS, "images/a.jpg": None, "images/b.jpg": None, "labels/a.txt": BOX})
    (folder / "labels/b.txt").symlink_to("/nowhere/b.txt")
    with pytest.raises(pipelines.DataError, match=r"labels/b.txt' is a link to '/nowhere/b.txt', where nothing is"):
        pipelines.load(str(folder), batch_size=1, splits=["train"])
    data = pipelines.load(str(folder), batch_size=1, splits=["train"], on_error="skip")
    assert data.sizes == {"train": 1}


def test_images_in_two_splits_are_told(lay):
    folder = lay({"data.yaml": "train: images\nval: images\nnames: [cat]", "images/a.jpg": None, "labels/a.txt": BOX})
    with pytest.warns(UserWarning, match="1 image is in several splits, as '.*a.jpg' in 'train' and 'validation'"):
        pipelines.load(str(folder), batch_size=1)


def test_text_files_without_a_line_in_all_of_a_split_are_told(lay):
    folder = lay({"data.yaml": ULTRALYTICS, "images/train/a.jpg": None, "labels/train/a.txt": ""})
    with pytest.warns(UserWarning, match=r"split 'train' has no object in any labelled image \(1\): all are"):
        pipelines.load(str(folder), batch_size=1, splits=["train"])


def test_pictures_in_a_folder_without_labels_below_those_with_some_are_no_backgrounds(lay):
    folder = lay({"classes.txt": CATS, "a.jpg": None, "a.txt": BOX, "b.jpg": None, "docs/shot.jpg": None})
    data = pipelines.load(str(folder), batch_size=1, splits=["train"])
    assert data.sizes == {"train": 2}
    assert data.accounts[0].balance().lost == {"docs/shot.jpg": "no part of this layout"}


def test_folders_that_hold_nothing_but_one_are_gone_through(lay):
    folder = lay({f"download/archive/{name}": text for name, text in LAYOUTS["coco128"].items()})
    data = pipelines.load(str(folder), batch_size=1)
    assert data.sizes == {"train": 1, "validation": 1}
    assert not data.accounts[0].balance().lost


def test_two_sets_with_settings_of_their_own_stop(lay):
    folder = lay({f"{place}/{name}": text for place in "ab" for name, text in LAYOUTS["coco128"].items()})
    with pytest.raises(pipelines.DataError, match="holds several data sets, in 'a/' and 'b/': give the folder of one"):
        pipelines.load(str(folder), batch_size=1)


def test_lists_that_cvat_names_in_another_folder_are_those_beside_obj_data(lay):
    files = {f"obj_{part}_data/{name}": None for part, name in (("train", "a.jpg"), ("valid", "b.jpg"))}
    files |= {"obj_train_data/a.txt": BOX, "obj_valid_data/b.txt": OTHER, "obj.names": CATS, "obj.data": CVAT_DATA}
    files |= {"train.txt": "data/obj_train_data/a.jpg\n", "valid.txt": "data/obj_valid_data/b.jpg\n"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        data = pipelines.load(str(lay(files)), batch_size=1)
    assert data.sizes == {"train": 1, "validation": 1}
    assert data.accounts[0].balance().used["list of images"] == 2


def test_masks_beside_the_images_are_read_if_their_classes_are_named(lay):
    import numpy as np
    from PIL import Image

    folder = lay({"data.yaml": "names: [cat, dog]", "images/a.jpg": None, "labels/a.txt": BOX})
    (folder / "masks").mkdir()
    Image.fromarray(np.full((40, 60), 1, np.uint8)).save(folder / "masks/a.png")
    (folder / "mask_classes.json").write_text('{"classes": ["ground", "road"]}')
    data = pipelines.load(str(folder), (40, 60), 1, splits=["train"])
    assert data.specs[2].classes == ("ground", "road")
    ((_, labels, _),) = data.train
    assert np.all(labels["segmentation"] == 1)
    assert not data.accounts[0].balance().lost
