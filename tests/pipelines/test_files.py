"""The one writer of whole files, and what a folder holds."""

import errno
import os
import sys

import pytest

from pipelines import files, leftovers
from pipelines.discovery import classes, modules
from pipelines.errors import DataError
from pipelines.files import is_partial, remove_partial, written_folder, written_whole


def write(path, text, error=None):
    with written_whole(path) as partial:
        partial.write_text(text)
        if error:
            raise error


def test_what_was_written_is_there_and_nothing_else(tmp_path):
    write(tmp_path / "deep" / "metrics.json", "whole")
    assert (tmp_path / "deep" / "metrics.json").read_text() == "whole"
    assert os.listdir(tmp_path / "deep") == ["metrics.json"]


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "can only be read"), (errno.EACCES, "no permission")],
)
def test_what_cannot_be_written_is_one_sentence_and_leaves_what_was_there(tmp_path, number, reason):
    path = tmp_path / "last.keras"
    write(path, "old")
    with pytest.raises(DataError, match=f"^Cannot write '{path}': .*{reason}.*[.]$"):
        write(path, "half", OSError(number, os.strerror(number)))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["last.keras"]


def test_a_file_that_could_not_be_read_meanwhile_is_no_fault_of_writing(tmp_path):
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "a", "half", FileNotFoundError(errno.ENOENT, "No such file", "/elsewhere/picture.jpg"))


def test_a_name_may_be_as_long_as_a_file_system_has_room_for(tmp_path):
    names = [f"{'é' * 120}{letter}{'x' * 10}.png" for letter in "ab"]
    assert all(len(os.fsencode(name)) == 255 for name in names)
    with written_whole(tmp_path / names[0]) as one, written_whole(tmp_path / names[1]) as other:
        assert is_partial(one.name)
        one.write_text("one")
        other.write_text("other")
    assert [(tmp_path / name).read_text() for name in names] == ["one", "other"]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_mistake_of_ours_keeps_its_stack_trace(tmp_path):
    with pytest.raises(KeyError):
        write(tmp_path / "a", "half", KeyError("name"))


def test_file_and_folder_are_on_the_disk_before_anything_else_happens(tmp_path, monkeypatch):
    calls = []
    synced, replace = files.synced, os.replace
    monkeypatch.setattr(files, "synced", lambda path: (calls.append(path.name), synced(path)))
    monkeypatch.setattr(files.os, "replace", lambda *paths: (calls.append("rename"), replace(*paths)))
    write(tmp_path / "a.txt", "whole")
    assert calls == [".a.partial.txt", "rename", tmp_path.name]
    assert is_partial(calls[0])


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of methods: two with a class, one helper, one that is hidden."""
    folder = tmp_path / "methods_for_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "_hidden.py").write_text("raise RuntimeError")
    (folder / "helper.py").write_text("class Base: pass")
    for name in ("b", "a"):
        (folder / f"{name}.py").write_text(
            f"from methods_for_a_test.helper import Base\nclass {name.upper()}(Base): pass"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_a_registry_is_what_the_folder_holds(package):
    assert list(modules("methods_for_a_test")) == ["a", "b", "helper"]
    base = modules("methods_for_a_test")["helper"].Base
    assert {name: found.__name__ for name, found in classes("methods_for_a_test", base).items()} == {"a": "A", "b": "B"}


def test_a_file_of_two_classes_is_refused(package):
    base = modules("methods_for_a_test")["helper"].Base
    (package / "d.py").write_text(
        "from methods_for_a_test.helper import Base\nclass D(Base): pass\nclass E(Base): pass"
    )
    with pytest.raises(TypeError, match="D, E: expected one"):
        classes("methods_for_a_test", base)


def test_a_folder_that_a_killed_writer_left_is_removed_by_the_next_one_and_that_of_a_living_one_stays(tmp_path):
    dead, stranger = tmp_path / ".partial-dead", tmp_path / ".partial-photographs"
    (dead / "whole").mkdir(parents=True)
    (dead / "whole" / "half").write_text("")
    stranger.mkdir()
    (stranger / "picture.png").write_text("")
    with written_folder(tmp_path) as (first, name_first), written_folder(tmp_path) as (second, name_second):
        assert not dead.exists()
        assert first.is_dir()
        name_first(tmp_path / "1")
        name_second(tmp_path / "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == [stranger.name, "1", "2"]
    assert not second.exists()


def test_where_no_folder_can_be_locked_none_is_removed(tmp_path, monkeypatch):
    (tmp_path / ".partial-dead" / "whole").mkdir(parents=True)
    monkeypatch.setattr(leftovers, "fcntl", None)
    with written_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".partial-dead"]


def test_unfinished_files_are_removed_and_others_stay(tmp_path):
    (tmp_path / "samples").mkdir()
    for name in (".last.partial.keras", "samples/.01.partial.png", ".lock", "last.keras"):
        (tmp_path / name).write_text("")
    remove_partial(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "last.keras", "samples"]
    assert not list((tmp_path / "samples").iterdir())
