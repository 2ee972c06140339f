"""What became of each file, and the sum of it."""

from pathlib import Path

import pytest

from pipelines.accounts import accounting
from pipelines.accounts.account import Account
from pipelines.accounts.rules import beside
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError, Problems


@pytest.fixture
def account(tmp_path):
    """An account of a folder of files that are there."""
    for name in ("a.jpg", "b.jpg", "c.jpg", "readme.txt", "what.dat", "test/d.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return Account(Problems("skip"), Tree.of(tmp_path))


def test_every_file_is_used_or_set_aside_or_not_understood(account, tmp_path):
    account.use(tmp_path / "a.jpg", "image of train")
    account.use(tmp_path / "b.jpg", "image of train")
    account.lose("'b.jpg' is damaged.", tmp_path / "b.jpg", annotations=2)  # what is said last holds
    account.leave(tmp_path / "c.jpg", "a copy")
    account.leave_below(tmp_path / "test", "of split test, not asked for")
    account.use(tmp_path.parent / "far.jpg", "image of train")
    account.meet(5, "boxes")
    account.leave_annotations("a copy", 1)
    balance = account.balance()
    assert balance.used == {"image of train": 1}
    assert balance.aside == {
        "a copy": ["c.jpg"],
        "a document": ["readme.txt"],
        "of split test, not asked for": ["test/d.jpg"],
    }
    assert balance.lost == {"b.jpg": "'b.jpg' is damaged.", "what.dat": "no part of this layout"}
    assert balance.elsewhere == {"image of train": 1}
    assert balance.files == 6
    assert balance.annotations_used == 2
    text = accounting.text(balance)
    assert "Files: 6 = 1 used + 3 set aside + 2 not understood" in text
    assert "not understood: what.dat: no part of this layout" in text
    assert "outside the folder: 1 image of train" in text
    assert "Annotations: 5 = 2 used + 1 set aside + 2 not understood (5 boxes)" in text
    assert f"Not understood: 2 files and 2 annotations in '{tmp_path}', as b.jpg; `visionmtl" in str(balance.sentence)


def test_what_is_lost_stops_the_reading_where_problems_do(tmp_path):
    account = Account(Problems("stop"))
    with pytest.raises(DataError, match="It is damaged"):
        account.lose("It is damaged.", tmp_path / "a.jpg")
    assert account.loss(tmp_path / "a.jpg") is None


def test_where_reading_stops_the_sentence_says_how_to_go_on():
    with pytest.raises(DataError, match=r"^It is damaged \(set data.on_error to skip to leave it out\)\.$"):
        Account(Problems("stop")).lose("It is damaged.")


def test_a_name_of_other_bytes_can_be_told(tmp_path):
    account = Account(Problems("skip"), Tree(tmp_path, {"": ["caf\udce9.dat"]}))
    assert r"caf\udce9.dat" in accounting.text(account.balance())
    assert account.balance().sentence.isprintable()


def test_where_all_is_understood_there_is_nothing_to_tell():
    assert Account(tree=Tree(Path(), {})).balance().sentence is None


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (name, "a document")
        for name in ("docs/readme.txt", "README.roboflow.txt", "LICENSE", "license.txt", "CITATION.cff")
    ]
    + [(name, None) for name in ("license_plate_1.jpg", "labels/license_7.txt", "citation.json", "readme.csv")],
)
def test_a_picture_or_a_file_that_could_hold_labels_is_no_document(name, rule):
    assert beside(name) == rule
