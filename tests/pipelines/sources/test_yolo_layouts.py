"""YOLO folders as each tool writes them: recognised, read unaided, every file accounted for."""

import numpy as np
import pytest
from PIL import Image
from voc_files import put
from yolo_files import BOX, CATS, CLUTTER, CVAT_DATA, LAYOUTS, OTHER, ULTRALYTICS, UNSPLIT, balance_of, boxes

import pipelines


@pytest.fixture
def lay(tmp_path):
    """A function that writes files, of which those of None are pictures, to `tmp_path / "data"`, and returns it."""
    return lambda files: put(tmp_path / "data", **files)


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


def test_text_files_without_a_line_in_all_of_a_split_are_told(lay):
    folder = lay({"data.yaml": ULTRALYTICS, "images/train/a.jpg": None, "labels/train/a.txt": ""})
    with pytest.warns(UserWarning, match=r"split 'train' has no object in any labelled image \(1\): all are"):
        pipelines.load(str(folder), batch_size=1, splits=["train"])


def test_pictures_in_a_folder_without_labels_below_those_with_some_are_no_backgrounds(lay):
    folder = lay({"classes.txt": CATS, "a.jpg": None, "a.txt": BOX, "b.jpg": None, "docs/shot.jpg": None})
    data = pipelines.load(str(folder), batch_size=1, splits=["train"])
    assert data.sizes == {"train": 2}
    assert data.accounts[0].balance().lost == {"docs/shot.jpg": "no part of this layout"}


@pytest.mark.parametrize("above", ["download/archive", "pets [v1]"])
def test_folders_that_hold_nothing_but_one_are_gone_through(lay, above):
    folder = lay({f"{above}/{name}": text for name, text in LAYOUTS["coco128"].items()})
    data = pipelines.load(str(folder), batch_size=1)
    assert data.sizes == {"train": 1, "validation": 1}
    assert not data.accounts[0].balance().lost


def test_two_sets_with_settings_of_their_own_stop(lay):
    folder = lay({f"{place}/{name}": text for place in "ab" for name, text in LAYOUTS["coco128"].items()})
    with pytest.raises(pipelines.DataError, match="holds several data sets, in 'a/' and 'b/': give the folder of one"):
        pipelines.load(str(folder), batch_size=1)


def test_masks_beside_the_images_are_read_if_their_classes_are_named(lay):
    classes = '{"classes": ["ground", "road"]}'
    files = {"data.yaml": "names: [cat, dog]", "images/a.jpg": None, "labels/a.txt": BOX, "mask_classes.json": classes}
    folder = lay(files | {"masks/a.png": np.ones((40, 60))})
    data = pipelines.load(str(folder), (40, 60), 1, splits=["train"])
    assert data.specs[2].classes == ("ground", "road")
    ((_, labels, _),) = data.train
    assert np.all(labels["segmentation"] == 1)
    assert not data.accounts[0].balance().lost


MASKED = {"data.yaml": "names: [cat, dog]", "images/a.jpg": None, "labels/a.txt": BOX, "masks/a.png": None}
COLOURS = {"ground": [0, 0, 0], "road": [128, 64, 128], "edge": [224, 224, 192]}
IDS = np.repeat(np.arange(3), 20)[None].repeat(40, 0)  # of 40 x 60 pixels


@pytest.mark.parametrize(
    ("pixels", "settings", "options", "classes", "expected"),
    [
        (np.array([*COLOURS.values()])[IDS], "", {"mask_colours": COLOURS}, ("ground", "road"), [0, 1, 255]),
        (IDS, "", {"mask_offset": 1}, ("cat", "dog"), [255, 0, 1]),
        (IDS, "\nmasks_dir: masks", {"ignore": 2}, ("cat", "dog"), [0, 1, 255]),
        (IDS + np.array([0, 0, 253])[IDS], "\nmasks_dir: masks", {}, ("cat", "dog"), [0, 1, 255]),
    ],
    ids=["colours", "from 1", "an ignored value", "none"],
)
def test_masks_are_read_as_options_say(lay, pixels, settings, options, classes, expected):
    folder = lay(MASKED | {"data.yaml": MASKED["data.yaml"] + settings})
    Image.fromarray(pixels.astype("uint8")).save(folder / "masks/a.png")
    ignored = {"ignore": "edge"} if "mask_colours" in options else {}
    data = pipelines.load(str(folder), (40, 60), 1, splits=["train"], **options, **ignored)
    assert data.specs[2].classes == classes
    assert data.specs[1].classes == ("cat", "dog")
    ((_, labels, _),) = data.train
    np.testing.assert_array_equal(np.squeeze(labels["segmentation"]), np.array(expected)[IDS])


def test_an_option_of_masks_where_there_are_none_changes_nothing_and_is_told(lay):
    folder = lay({"data.yaml": ULTRALYTICS, "images/train/a.jpg": None, "labels/train/a.txt": BOX})
    with pytest.warns(UserWarning, match=r"Option ignore is not used: '.*data' has no masks in files"):
        data = pipelines.load(str(folder), batch_size=1, splits=["train"], ignore=0)
    assert [spec.name for spec in data.specs] == ["classification", "detection"]
