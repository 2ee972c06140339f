"""All files of a folder, walked once."""

import os
from pathlib import Path

import pytest

from pipelines.accounts.tree import Tree


@pytest.fixture
def write(tmp_path):
    """A function that makes empty files beneath a folder, and returns the folder."""

    def write(*names: str) -> Path:
        for name in names:
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "data"

    return write


def test_files_are_known_by_their_folders_and_by_patterns_in_any_case(write):
    tree = Tree.of(write("train/Images/a.JPG", "train/Images/deep/b.jpg", "data.yaml"))
    assert tree.names == ("data.yaml", "train/Images/a.JPG", "train/Images/deep/b.jpg")
    assert list(tree.within("train/Images/deep")) == ["train/Images/deep/b.jpg"]
    assert tree.inner() == ["train"]
    assert tree.has("*/images/*.jpg")
    assert not tree.has("images/*.jpg")
    assert not tree.has("*.jpg")
    assert list(tree.like("**/*.jpg")) == ["train/Images/a.JPG", "train/Images/deep/b.jpg"]
    assert list(tree.like("train/**/b.*")) == ["train/Images/deep/b.jpg"]


def test_patterns_begin_in_a_folder_whatever_it_is_called(write):
    tree = Tree.of(write("pets [v1]/data.yaml", "pets [v1]/train/a.jpg", "data.yaml"))
    assert list(tree.like("*.yaml", "pets [v1]")) == ["pets [v1]/data.yaml"]
    assert list(tree.like("**/*.*", "pets [v1]")) == ["pets [v1]/data.yaml", "pets [v1]/train/a.jpg"]
    assert tree.has("train/*", "pets [v1]")
    assert not tree.has("pets [v1]/*")


def test_what_systems_leave_and_runs_of_our_own_are_set_aside(write):
    files = ("a.jpg", "._a.jpg", "Thumbs.db", "__MACOSX/._a.jpg", ".git/HEAD", "runs/x-1/recipe.yaml")
    tree = Tree.of(write(*files, "runs/x-1/history.csv", "runs/x-1/plots/b.png"))
    assert tree.names == ("a.jpg",)
    assert tree.aside == {
        "._a.jpg": "hidden",
        "Thumbs.db": "left by a system",
        ".git/HEAD": "hidden",
        "__MACOSX/._a.jpg": "left by a system",
        "runs/x-1/history.csv": "a run of visionmtl",
        "runs/x-1/recipe.yaml": "a run of visionmtl",
        "runs/x-1/plots/b.png": "a run of visionmtl",
    }


def test_what_ultralytics_leaves_of_its_runs_is_set_aside(write):
    trained = ("args.yaml", "results.csv", "weights/best.pt", "val_batch0_pred.jpg")
    files = [f"mine/{name}" for name in trained] + [f"stopped/{name}" for name in trained[:1] + trained[2:]]
    files += ["runs/segment/predict/labels/a.txt", "runs/val/exp2/labels/a.txt", "old/opt.yaml", "old/hyp.yaml"]
    data = ("args.yaml", "results.csv", "images/a.jpg", "runs/day1/exp2/c.jpg", "runs/train/b.jpg")
    tree = Tree.of(write(*data, *files))
    assert tree.names == data
    assert tree.aside == dict.fromkeys(files, "a run of Ultralytics")


def test_links_are_followed_out_of_the_folder_loops_end_and_a_dangling_one_is_named(write, tmp_path):
    root = write("a.jpg", "inner/b.jpg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c.jpg").touch()
    (root / "far").symlink_to(tmp_path / "elsewhere")
    (root / "d.jpg").symlink_to(root / "a.jpg")
    (root / "inner" / "up").symlink_to(root)
    (root / "lost.jpg").symlink_to("nowhere.jpg")
    tree = Tree.of(root)
    assert tree.names == ("a.jpg", "d.jpg", "far/c.jpg", "inner/b.jpg")
    assert tree.aside == {"inner/up": "a link to a folder that it lies in"}
    assert tree.broken == {"lost.jpg": "a link to 'nowhere.jpg', where nothing is"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_cannot_be_read_is_named(write):
    root = write("shut/a.jpg")
    (root / "shut").chmod(0)
    assert Tree.of(root).broken == {"shut": "a folder that cannot be read: Permission denied"}


def test_a_file_is_all_that_there_is_and_what_is_neither_is_empty(write):
    root = write("a.csv", "b.jpg")
    assert Tree.of(root / "a.csv").names == ("a.csv",)
    assert Tree.of(root / "none").names == ()
