"""Which files are pictures to predict on, what becomes of every other, and what is written about each is called."""

import os
from pathlib import PurePath

import numpy as np
import pytest
import reds
from PIL import Image

from pipelines import DataError
from visionmtl.errors import UsageError
from visionmtl.prediction import pictures
from visionmtl.prediction.pictures import found, told_apart


@pytest.fixture
def folder(tmp_path):
    """A folder with two pictures, and with what lies beside pictures."""
    root = tmp_path / "photographs"
    reds.picture(root / "cats" / "tom.png")
    reds.picture(root / "b.gif")
    for name in ("._b.gif", "Thumbs.db", "notes.txt", "labels.json", "README.md", "film.mp4"):
        (root / name).write_bytes(b"?")
    os.symlink(root / "gone.png", root / "link.png")
    return root


def test_every_file_of_a_folder_is_a_picture_or_set_aside_by_a_rule_or_told(folder):
    there = found([folder])
    assert [str(name) for name in there.names] == ["b.gif", "cats/tom.png"]
    (balance,) = there.balances
    assert balance.files == 9
    assert balance.used == {"pictures": 2}
    assert balance.aside == {
        "hidden": ["._b.gif"],
        "left by a system": ["Thumbs.db"],
        "a document": ["README.md"],
        "no picture by its name": ["labels.json", "notes.txt"],
        "a video, which is to be named itself": ["film.mp4"],
    }
    assert list(balance.lost) == ["link.png"]
    assert "set aside, no picture by its name: 2 (labels.json, notes.txt)" in there.told()


def test_a_folder_of_pictures_alone_has_nothing_to_tell(tmp_path):
    reds.picture(tmp_path / "a" / "b.png")
    assert found([tmp_path / "a"]).told() == ""


@pytest.mark.parametrize(
    "written", [("predict.json", "labels.json"), ("predictions.json", "overlays/a.png")], ids=["now", "0.1.0"]
)
def test_what_was_predicted_before_is_never_read(folder, written):
    for name in written:
        (folder / "old" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "old" / name).touch()
    reds.picture(folder / "old" / "overlays" / "b.png")
    there = found([folder])
    assert len(there.files) == 2
    assert "old/overlays/b.png" in there.balances[0].aside["what `visionmtl predict` wrote"]
    with pytest.raises(UsageError, match=r"'.*old' holds no picture(.|\n)*what `visionmtl predict` wrote"):
        found([folder / "old"])


def test_what_is_written_now_is_not_read(folder):
    reds.picture(folder / "out" / "overlays" / "b.png")
    assert len(found([folder], folder / "out").files) == 2
    assert len(found([folder / "out" / "overlays"], folder / "out").files) == 1  # whom a user names is read


def test_predictions_are_not_written_among_the_pictures(folder):
    with pytest.raises(UsageError, match="name another folder by --out"):
        found([folder], folder)


def test_a_file_that_is_named_is_taken_whatever_it_is_called_and_once(folder):
    files = [folder / "notes.txt", folder / "b.gif", folder]
    assert [file.name for file in found(files).files] == ["notes.txt", "b.gif", "tom.png"]
    with pytest.raises(UsageError, match=r"There is no picture '.*gone.png'"):
        found([folder / "gone.png"])


def test_pictures_of_one_name_are_told_apart_by_one_rule():
    names = ["a/1.jpg", "b/1.png", "b/1.jpg", "b/1-2.jpg", "B/1.webp", "v1.2.png"]
    assert told_apart(map(PurePath, names)) == ["a/1", "b/1", "b/1-2", "b/1-2-2", "B/1-3", "v1.2"]


def test_names_leave_room_for_a_number_and_a_suffix():
    long = "é" * 125
    names = [f"a/{long}x.png", f"a/{long}x.jpg", f"a/{'y' * 250}.jpeg", f"b/{'y' * 250}.jpg"]
    assert told_apart(map(PurePath, names)) == [f"a/{long}", f"a/{long[:-1]}-2", f"a/{'y' * 250}", f"b/{'y' * 250}"]


def test_files_of_one_stem_have_distinct_names(tmp_path):
    files = [tmp_path / "a" / "1.jpg", tmp_path / "b" / "1.png", tmp_path / "b" / "2.png"]
    assert list(pictures.distinct_names(files).values()) == ["1", "1-2", "2"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("https://example.com/a.jpg", "'https://example.com/a.jpg' is an address: fetch it first"),
        ("-", "not read from standard input"),
        ("link.png", r"'link.png' is a link to 'gone.png', where no picture is"),
        ("circle.png", "'circle.png' is a link to 'circle.png', where no picture is"),
        ("pipe.png", "'pipe.png' is no file that pictures are read from, but a pipe"),
        ("*.jpg", r"no picture '\*.jpg': a pattern is filled in by the shell"),
        ("gone.png", "There is no picture 'gone.png'"),
    ],
)
def test_what_is_no_file_is_told_for_what_it_is(tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    os.symlink("gone.png", "link.png")
    os.symlink("circle.png", "circle.png")
    os.mkfifo("pipe.png")
    with pytest.raises(UsageError, match=message):
        found([given])


def test_no_option_is_named_that_predictions_do_not_take(tmp_path):
    Image.fromarray(np.full((4, 4), 900, "float32")).save(tmp_path / "deep.tif")
    with pytest.raises(DataError, match="nothing says which is white: .*; save it with 8 bits a channel.$"):
        pictures.read(tmp_path / "deep.tif")
    Image.new("1", (20_000, 10_000)).save(tmp_path / "large.png")
    with pytest.raises(DataError, match="may be meant to fill memory; make it smaller.$"):
        pictures.Reader([tmp_path / "large.png"])(0)
