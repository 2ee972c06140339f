"""Which group an image is of, by folders, names and columns; and what is told of one without."""

from pathlib import Path

import pytest

from pipelines.errors import DataError
from pipelines.groups.grouping import groups_of

ROOT = Path("data")
NAMES = ("images/oak/a_1.jpg", "images/oak/b_1.jpg", "images/elm/a_2.jpg")
IMAGES = [ROOT / name for name in NAMES]


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("folder", ["images/oak", "images/oak", "images/elm"]),
        ("folder:1", ["images"] * 3),
        ("folder:2", ["oak", "oak", "elm"]),
        ("name:^[a-z]", ["a", "b", "a"]),
        ("name:_(.)", ["1", "1", "2"]),
        ("name:(.)_(.)", ["a/1", "b/1", "a/2"]),
        ("image", ["images/oak/a_1.jpg", "images/oak/b_1.jpg", "images/elm/a_2.jpg"]),
    ],
)
def test_groups_are_what_a_rule_finds(by, groups):
    assert groups_of(IMAGES, ROOT, by) == groups


@pytest.mark.parametrize(
    ("by", "sentence"),
    [
        ("street", "Groups by 'street' are unknown: expected folder, folder:2, name:REGULAR-EXPRESSION"),
        ("folder:0", "Groups by 'folder:0' are unknown"),
        ("folder:3", "lies in 2 folders of 'data': there is no folder:3"),
        ("name:[", "'\\[' is no regular expression"),
        ("name:^b", "'\\^b' finds nothing in the names of 2 of 3 images, as 'a_1.jpg'"),
    ],
)
def test_a_rule_that_does_not_fit_is_one_sentence(by, sentence):
    with pytest.raises(DataError, match=sentence):
        groups_of(IMAGES, ROOT, by)


@pytest.fixture
def table(tmp_path):
    """A function that writes a table, and asks it for the column "tree" of the images."""

    def ask(text):
        path = tmp_path / "trees.csv"
        path.write_text(text)
        for name in (*NAMES, "images/elm/other.jpg"):
            (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / name).touch()
        return groups_of([tmp_path / "data" / name for name in NAMES], tmp_path / "data", "column:tree", path)

    return ask


def test_a_column_is_found_by_paths_or_names_and_may_know_more_images(table):
    assert table("file;tree;x\nimages/oak/a_1.jpg;1;\nb_1.jpg;1;\na_2.jpg;7;\nother.jpg;9;") == ["1", "1", "7"]
    assert table("image,tree\na_1.jpg,p\na_1.jpg,p\nb_1.jpg,q\na_2.jpg,r") == ["p", "q", "r"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,tre\na,1", "there is no column 'tree'; there are file, tre"),
        ("pic,tree\na,1", "column of the image files is missing: expected one called image, image_path"),
        ("file,tree\na_1.jpg,1\na_1.jpg,2", "line 3: image 'a_1.jpg' has tree '2', but '1' above"),
        ("file,tree\na_1.jpg,1\nb_1.jpg,", "has no tree of 2 of 3 images, as '.*data/images/oak/b_1.jpg'"),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(table, text, sentence):
    with pytest.raises(DataError, match=sentence):
        table(text)


def test_the_table_of_the_data_itself_is_taken(tmp_path):
    (tmp_path / "labels.csv").write_text("file,label,tree\na.jpg,x,1\nb.jpg,y,2")
    images = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for image in images:
        image.touch()
    assert groups_of(images, tmp_path, "column:tree") == groups_of(images, tmp_path / "labels.csv", "column:tree")
    with pytest.raises(DataError, match="has no CSV files: name the table that has the column"):
        groups_of(IMAGES, tmp_path / "none", "column:tree")
