"""Splits that lists beside class folders or masks name are those that are read, and it is said."""

import pytest
from folder_files import GROUND, load

import pipelines
from pipelines.errors import noted

FILES = {f"{place}/{place}{n}.jpg": None for place in "ab" for n in range(4)}
TRAIN = [f"{place}/{place}{n}" for place in "ab" for n in range(3)]
LISTS = {
    "without suffix": ("", {"meta/train.txt": TRAIN, "meta/test.txt": ["a/a3", "b/b3"]}),
    "with numbers of classes": (
        "",
        {"train.txt": [f"{x}.jpg 0" for x in TRAIN], "test.txt": ["a/a3.jpg 0", "b/b3.jpg 1"]},
    ),
    "from the folder of the data": (
        "images/",
        {"train.txt": [f"images/{x}.jpg" for x in TRAIN], "test.txt": ["a3", "b3"]},
    ),
    "of a name and more": ("", {"splits/train_list.txt": TRAIN, "splits/test_list.txt": ["a/a3", "b/b3"]}),
    "cub": (
        "images/",
        {
            "images.txt": [f"{n} {name}" for n, name in enumerate(FILES, 1)],
            "train_test_split.txt": [f"{n} {int('3' not in name)}" for n, name in enumerate(FILES, 1)],
        },
    ),
}


def text(lines):
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("layout", LISTS)
def test_published_lists_are_the_splits(write, layout):
    start, lists = LISTS[layout]
    folder = write({f"{start}{name}": None for name in FILES} | {name: text(own) for name, own in lists.items()})
    with noted() as notes:
        data = load(folder, splits=["train", "test"])
    assert data.sizes == {"train": 6, "test": 2}
    assert sum(f"The splits of '{folder}' are those of" in note for note in notes) == 1
    assert not data.accounts[0].balance().lost
    with noted() as notes:
        data = load(folder, splits=["train", "test"], divide=True)
    assert not any("The splits of" in note for note in notes)
    assert {*lists} <= {*data.accounts[0].balance().lost}


def test_lists_divide_masks_too(write):
    files = {f"images/{n}.jpg": None for n in range(8)} | {f"masks/{n}.png": GROUND for n in range(8)}
    folder = write(files | {"train.txt": text("012345"), "val.txt": text("67")})
    with noted():
        data = load(folder, mask_classes=["ground", "thing"])
    assert data.sizes == {"train": 6, "validation": 2}


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([*TRAIN, "a/a3"], "a3.jpg' is in .* and in .*: it may be in one split alone"),
        ([*TRAIN, "a/a9"], "train.txt': line 7: 'a/a9' is no image of"),
    ],
)
def test_lists_that_are_wrong_are_refused(write, train, message):
    folder = write(FILES | {"train.txt": text(train), "test.txt": text(["a/a3", "b/b3"])})
    with pytest.raises(pipelines.DataError, match=message):
        load(folder, splits=["train", "test"])


def test_what_is_in_no_list_is_left_out_and_said(write):
    folder = write(FILES | {"train.txt": text(TRAIN), "test.txt": text(["a/a3"])})
    with pytest.warns(UserWarning, match="1 of 8 images are in none, and are left out"):
        data = load(folder, splits=["train", "test"])
    assert data.sizes == {"train": 6, "test": 1}
    assert data.accounts[0].balance().aside == {"in no list of a split": ["b/b3.jpg"]}


def test_lists_of_several_folds_are_not_used_and_it_is_said(write):
    lists = {f"{split}{fold}.txt": text(TRAIN) for split in ("train", "test") for fold in (1, 2)}
    with noted() as notes, pytest.raises(pipelines.DataError, match="too small to be divided"):
        load(write(FILES | lists), splits=["train", "validation", "test"])
    assert any("all list images of a split, and which is meant cannot be told" in note for note in notes)


def test_other_texts_are_no_lists(write):
    files = {f"{place}/{place}{n}.jpg": None for place in "ab" for n in range(20)}
    folder = write(files | {"train.txt": "cats and dogs\n", "test.txt": "a/a1\n"})
    with noted() as notes:
        load(folder)
    assert not any("The splits of" in note for note in notes)
