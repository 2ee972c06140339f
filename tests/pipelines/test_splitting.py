"""Sets divided by group into lists: no group is parted, classes are alike, and the lists are read."""

import folders
import pytest

import pipelines
from pipelines.errors import DataError


@pytest.fixture
def streets(coco, tmp_path):
    """Twenty images of ten streets, each with as many squares, and bars in every second street."""
    objects = {
        f"s{street}_{number}.png": [(3, 5, 5, 10, 10), *([(7, 30, 30, 8, 4)] if street % 2 else [])]
        for street in range(10)
        for number in range(2)
    }
    return coco(objects, at="data/train")


def test_a_street_is_in_one_split_and_classes_are_alike(streets, tmp_path):
    done = pipelines.split(str(tmp_path / "data"), "name:^s.", tmp_path / "lists", fractions=(0.6, 0.2, 0.2))
    of = {key: {name.rpartition("/")[2][:2] for name in part.names} for key, part in done.splits.items()}
    assert sorted(street for own in of.values() for street in own) == [f"s{street}" for street in range(10)]
    assert {key: (len(part.names), part.groups) for key, part in done.splits.items()} == {
        **{"train": (12, 6), "validation": (4, 2), "test": (4, 2)}
    }
    assert {key: part.counts["detection"].tolist() for key, part in done.splits.items()} == {
        **{"train": [12, 6], "validation": [4, 2], "test": [4, 2]}
    }
    data = pipelines.load("coco", folders.SIZE, 1, path=tmp_path / "data", split_lists=str(tmp_path / "lists"))
    assert data.sizes == {"train": 12, "validation": 4, "test": 4}


def test_the_lists_name_images_by_their_path_from_the_data(streets, tmp_path):
    pipelines.split("coco", "image", tmp_path / "lists", tmp_path / "data", fractions=(0.5, 0.5), seed=3)
    head, *names = (tmp_path / "lists/val.txt").read_text().splitlines()
    assert head == "# divided by image of coco, seed 3"
    assert names == sorted(names)
    assert len(names) == 10
    assert all((tmp_path / "data" / name).is_file() for name in names)
    assert not (tmp_path / "lists/test.txt").exists()


def test_no_picture_is_decoded(streets, tmp_path):
    for path in (streets / "images").iterdir():
        path.write_bytes(path.read_bytes()[:60])  # its header, and no more
    pipelines.split("coco", "image", tmp_path / "lists", tmp_path / "data", check="full")


@pytest.mark.slow
@pytest.mark.parametrize("source", ["csv", "folder", "voc", "yolo"])
def test_splits_that_are_there_are_divided_anew(tmp_path, source):
    path, options = folders.WRITERS[source](tmp_path / "data")
    done = pipelines.split(source, "image", tmp_path / "lists", path, (0.6, 0.2, 0.2), **options)
    assert {key: len(part.names) for key, part in done.splits.items()} == {"train": 3, "validation": 1, "test": 1}
    data = pipelines.load(source, folders.SIZE, 1, path=path, split_lists=str(tmp_path / "lists"), **options)
    assert data.sizes == {"train": 3, "validation": 1, "test": 1}


def test_an_image_of_two_splits_is_counted_once(tmp_path):
    path, _ = folders.voc(tmp_path / "data", {"train": "abc", "val": "cd"})
    done = pipelines.split("voc", "image", tmp_path / "lists", path, (0.5, 0.5))
    assert sum(len(part.names) for part in done.splits.values()) == 4


@pytest.mark.parametrize(
    ("source", "by", "more", "sentence"),
    [
        ("coco", "name:^s", {}, "There are 3 splits, but 1 group by name:\\^s: 's'; choose another way"),
        ("coco", "image", {"fractions": (0.5, 0.4)}, "Fractions are 0.5 0.4: expected two or three above 0"),
        ("coco", "image", {"fractions": (1, 0, 0)}, "Fractions are 1 0 0: expected"),
        ("coco", "image", {"on_error": "skp"}, "Did you mean 'skip'?"),
        ("coco", "image", {"split_lists": "lists"}, "divided whole and anew: leave the option split_lists out"),
        ("garments", "image", {}, "Source 'garments' has no files of its own that lists could name"),
    ],
)
def test_what_cannot_be_divided_is_told_and_nothing_is_written(streets, tmp_path, source, by, more, sentence):
    path = None if source == "garments" else tmp_path / "data"
    with pytest.raises(DataError, match=sentence):
        pipelines.split(source, by, tmp_path / "lists", path, **more)
    assert not (tmp_path / "lists").exists()


def test_a_folder_that_is_not_empty_is_refused(streets, tmp_path):
    with pytest.raises(DataError, match="'.*data' is there already: choose a folder that is empty or new"):
        pipelines.split("coco", "image", tmp_path / "data", tmp_path / "data")
