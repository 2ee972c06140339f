"""Which pictures of a YOLO folder are of which split: by data.yaml, by lists, by folders, or by a division."""

import warnings

import pytest
from voc_files import put
from yolo_files import BOX, CATS, CVAT_DATA, LAYOUTS, OTHER, UNSPLIT, balance_of

import pipelines


@pytest.fixture
def lay(tmp_path):
    """A function that writes files, of which those of None are pictures, to `tmp_path / "data"`, and returns it."""
    return lambda files: put(tmp_path / "data", **files)


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


def test_images_in_two_splits_are_told(lay):
    folder = lay({"data.yaml": "train: images\nval: images\nnames: [cat]", "images/a.jpg": None, "labels/a.txt": BOX})
    with pytest.warns(UserWarning, match="1 image is in several splits, as '.*a.jpg' in 'train' and 'validation'"):
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
