"""Splits by lists: any source of files reads them, and tells what does not fit."""

import folders
import pytest

import pipelines
from pipelines.errors import DataError, MissingSplitError

SOURCES = [name for name in pipelines.names() if "split_lists" in pipelines.options(name)]


@pytest.fixture
def lists(tmp_path):
    """A function that writes lists by their names, and returns their folder."""

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / "lists").mkdir(exist_ok=True)
            (tmp_path / "lists" / f"{name}.txt").write_text(text)
        return str(tmp_path / "lists")

    return write


def load(path, lists, source="voc", **options):
    return pipelines.load(source, folders.SIZE, 1, path=path, split_lists=lists, **options)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_of_files_is_divided_by_lists(tmp_path, lists, source):
    path, options = folders.WRITERS[source](tmp_path / "data")
    called = {"coco": "{}.png", "cityscapes": "aachen_{}_000019_leftImg8bit.png"}.get(source, "{}.jpg")
    a, b, d, e = map(called.format, "abde")
    folder = lists(train=f"# by hand\n{a}\n./{d}\n\n", valid=f"{b}\n", testing=e)
    with pytest.warns(UserWarning, match="1 of 5 images are in no list of '.*lists', and are left out"):
        data = load(path, folder, source, **options)
    assert data.sizes == {"train": 2, "validation": 1, "test": 1}
    balance = data.accounts[0].balance()
    assert balance.lost == {}
    aside = {name.rpartition("/")[2] for name in balance.aside["of an image in no list of a split"]}
    assert {name.removeprefix("aachen_")[0] for name in aside} == {"c"}
    assert load(path, folder, source, splits=["test"], **options).sizes == {"test": 1}


def test_data_without_splits_is_taken_whole(coco, tmp_path, lists):
    path = coco({f"{number}.png": [] for number in range(5)})
    folder = lists(train="0.png\n1.png\n2.png", val="images/3.png\n4.png")
    assert load(path, folder, "coco").sizes == {"train": 3, "validation": 2}


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"train": "a.jpg", "val": "b.jpg\na.jpg"}, "a.jpg' is in '.*train.txt' and in '.*val.txt': it may be in one"),
        ({"train": "a.jpg\nz.jpg"}, "train.txt': line 2: 'z.jpg' is no image of '.*data'"),
        ({"train": "a.jpg\na.jpg"}, "train.txt': line 2: 'a.jpg' is given twice, first in line 1"),
        ({"train": "a.jpg", "training": "b.jpg"}, "both list split 'train'"),
        ({"notes": ""}, "has no train.txt, val.txt or test.txt"),
        ({}, "lists' of split_lists does not exist"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_lists_that_do_not_fit_are_told_in_a_sentence(tmp_path, lists, texts, sentence):
    path, _ = folders.voc(tmp_path / "data")
    with pytest.raises(DataError, match=sentence):
        load(path, lists(**texts))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_missing_image_can_be_skipped_and_a_missing_list_not(tmp_path, lists):
    path, _ = folders.voc(tmp_path / "data")
    folder = lists(train="a.jpg\nz.jpg")
    data = load(path, folder, on_error="skip")
    assert (data.sizes, len(data.skipped)) == ({"train": 1}, 1)
    with pytest.raises(MissingSplitError, match="lists' has no list of split 'test'; it has: train"):
        load(path, folder, splits=["test"])


def test_names_that_several_images_have_want_their_paths(coco, lists, tmp_path):
    coco({"a.png": []}, at="data/train"), coco({"a.png": []}, at="data/val")
    with pytest.raises(DataError, match="2 images are called 'a.png': give the path from '.*data'"):
        load(tmp_path / "data", lists(train="a.png"), "coco")
    folder = lists(train="train/images/a.png", val=str(tmp_path / "data/val/images/a.png"))
    assert load(tmp_path / "data", folder, "coco").sizes == {"train": 1, "validation": 1}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_cache_is_made_again_when_a_list_changes(tmp_path, lists):
    path, _ = folders.voc(tmp_path / "data")
    folder = lists(train="a.jpg\nb.jpg", val="c.jpg")
    assert load(path, folder, cache=tmp_path / "cache").sizes == {"train": 2, "validation": 1}
    lists(train="a.jpg\nb.jpg\nd.jpg")
    assert load(path, folder, cache=tmp_path / "cache").sizes == {"train": 3, "validation": 1}
