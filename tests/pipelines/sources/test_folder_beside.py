"""What lies beside the folders of classes, of splits or of images is used, or set aside in a sentence, or refused."""

import pytest
from folder_files import GROUND, load

import pipelines
from pipelines.errors import noted


def classes(*folders, names="ab"):
    return {f"{folder}/{name}/{name}.jpg": None for folder in folders for name in names}


@pytest.mark.parametrize(("name", "split"), [("dev", "validation"), ("Validate", "validation"), ("holdout", "test")])
def test_a_folder_called_in_another_word_for_a_split_is_that_and_it_is_said(write, name, split):
    folder = write(classes("train", name))
    with pytest.warns(UserWarning, match=f"'.*{name}' is taken as split '{split}', by the name '{name}'"):
        data = load(folder, splits=["train", split])
    assert data.sizes == {"train": 2, split: 2}
    assert not data.accounts[0].balance().lost


def test_two_folders_of_one_split_are_refused(write):
    with pytest.raises(pipelines.DataError, match="dev' and '.*val' both are split 'validation': join them"):
        load(write(classes("train", "dev", "val")))


def test_a_folder_like_train_that_is_called_as_no_split_is_told(write):
    folder = write(classes("train", "val", "more") | classes("pages", names="xy"))
    with noted() as notes:
        data = load(folder)
    assert data.sizes == {"train": 2, "validation": 2}
    told = [note for note in notes if "same class folders as train and is not read" in note]
    assert len(told) == 1
    assert told[0].startswith(f"'{folder / 'more'}'")


@pytest.mark.parametrize("place", ["test/test", "asl_test/asl_test", "test/unknown"])
def test_pictures_of_a_split_in_one_folder_that_is_no_class_of_train_are_none(write, place):
    train = "asl_train/asl_train" if place.startswith("asl") else "train"
    folder = write(classes(train) | {f"{place}/{n}.jpg": None for n in "cd"})
    with pytest.warns(UserWarning, match=f"Split 'test' is left out: the pictures in '.*{place}' have no labels"):
        data = load(folder, splits=["train", "test"])
    assert data.sizes == {"train": 2}
    assert data.specs[0].classes == ("a", "b")


def test_masks_that_are_called_as_no_image_are_told_with_one_of_each(write):
    files = {f"images/{n}.jpg": None for n in "ab"} | {f"masks/task-{n}-cat-0.png": GROUND for n in "ab"}
    with pytest.raises(
        pipelines.DataError, match="2 masks, of which none is called as an image .*'task-a-cat-0.png', b"
    ):
        load(write(files), splits=["train"], mask_classes=["ground", "thing"], on_error="skip")


def test_masks_in_a_folder_a_picture_are_told(write):
    files = {f"{n}/images/{n}.jpg": None for n in "ab"} | {f"{n}/masks/{m}.png": GROUND for n in "ab" for m in "xy"}
    with pytest.raises(
        pipelines.DataError, match="has masks in 2 folders, as 'a/masks', each of one picture: move the"
    ):
        load(write(files))


@pytest.mark.parametrize(
    ("names", "more"),
    [
        ([f"img{n}.jpg" for n in range(8)], "write a CSV of file,label, a line each."),
        (
            [f"train/{name}.{n}.jpg" for name in ("cat", "dog") for n in range(4)],
            "a line each ('train/cat.0.jpg,cat', if their names begin with the class).",
        ),
    ],
)
def test_pictures_alone_are_told_in_one_sentence(write, names, more):
    with pytest.raises(pipelines.DataError, match="has 8 pictures, as .*, and nothing that labels them") as told:
        pipelines.recognise(write(dict.fromkeys(names)))
    assert str(told.value).endswith(more)


def test_a_table_of_pictures_without_a_column_of_labels_is_told(write):
    rows = "".join(f"{n}.jpg,w_{n % 2}\n" for n in range(6))
    folder = write({f"train/{n}.jpg": None for n in range(6)} | {"train.csv": f"Image,Id\n{rows}"})
    with pytest.raises(pipelines.DataError, match="train.csv': line 1: column of labels is missing: .*label=Id would"):
        pipelines.recognise(folder)
