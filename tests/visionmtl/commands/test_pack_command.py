"""`visionmtl data pack`: what is printed, and what is told of mistakes."""

import os
import signal

import pytest
from PIL import Image

import pipelines
from visionmtl import cli


@pytest.fixture
def pets(tmp_path, monkeypatch):
    """A folder of two classes and two splits; the working directory is where it lies."""
    for name in ("train/cats/a", "train/cats/b", "train/dogs/c", "val/dogs/d"):
        path = tmp_path / "pets" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 40), (9, 90, 9)).save(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pets"


def test_a_folder_is_packed_and_used_as_the_last_line_says(pets, printed):
    assert cli.main(["data", "pack", "pets", "--out", "packs/pets"]) == 0
    shown = printed()
    assert "train-00000-of-00001.tfrecord: 3 images, 0.0 MB" in shown
    assert ("train 3 1 0.001" in shown, "validation 1 1 0.000" in shown) == (True, True)
    assert shown[-1] == "Use it with: data.source=packed data.path=packs/pets"
    assert pipelines.load("packed", (40, 60), 1, path="packs/pets").sizes == {"train": 3, "validation": 1}
    assert cli.main(["data", "pack", "pets", "--out", "packs/pets"]) == 0
    assert "'packs/pets' is packed already and whole: there is nothing to do." in printed()


def test_what_is_broken_stops_or_is_listed(pets, capsys, printed):
    path = pets / "train/cats/b.png"
    path.write_bytes(path.read_bytes()[:50])
    command = ["data", "pack", "folder", "data.path=pets", "--out", "pack", "--split", "train"]
    assert cli.main(command) == 2
    assert "visionmtl: Image 'pets/train/cats/b.png' is truncated or damaged (set" in capsys.readouterr().err
    assert cli.main([*command, "--on-error", "skip"]) == 0
    shown = printed()
    assert "train 2 1 0.001" in shown
    assert shown[shown.index("Left out: 1") + 1] == "Image 'pets/train/cats/b.png' is truncated or damaged."


@pytest.mark.parametrize(
    ("number", "name", "status"), [(signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143)]
)
def test_an_interrupt_says_how_to_go_on(number, name, status, pets, capsys, monkeypatch):
    monkeypatch.setattr("pipelines.packs.shards.write", lambda path, records: os.kill(os.getpid(), number))
    assert cli.main(["data", "pack", "pets", "--out", "pack"]) == status
    assert f"stopped by {name}. The same command goes on from the shards that are whole." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pest"], "'pest' is neither a source nor a folder"),
        (["pets", "data.options.shard_mb=3"], "Unknown option of source 'folder' 'shard_mb'"),
        (["pets", "data.pth=x"], "data pack takes data.path=DIR and data.options.<option>=value only"),
        (["pets", "--on-error", "skp"], "Did you mean 'skip'?"),
        (["pets", "--split", "tran"], "Unknown split 'tran'. Did you mean 'train'?"),
        (["pets", "--shard-mb", "0"], "A shard of 0.0 MB: expected a number above 0."),
        (["garments"], "there are none to pack"),
    ],
)
def test_a_mistake_is_one_sentence(pets, capsys, arguments, sentence):
    assert cli.main(["data", "pack", *arguments, "--out", "pack"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not (pets.parent / "pack").exists()
