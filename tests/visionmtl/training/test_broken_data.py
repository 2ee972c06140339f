"""Files found broken in the middle of a training: what the command line says of them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pipelines.samples import meeting
from visionmtl import callbacks, cli
from visionmtl.training import session

SENTENCE = "c.jpg' is truncated or damaged"


@pytest.fixture
def data(tmp_path, toy_by_name, monkeypatch):
    """Class folders of small pictures, too many to be checked beforehand; one of them ends early."""
    monkeypatch.setattr(meeting, "AT_ONCE", 0)
    folder = tmp_path / "data"
    for name, split, label in (
        ("a", "train", "cat"),
        ("b", "train", "dog"),
        ("c", "train", "cat"),
        ("d", "val", "dog"),
    ):
        place = folder / split / label / f"{name}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(place)
    (folder / "val" / "cat").mkdir()
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(folder / "val" / "cat" / "e.jpg")
    broken = folder / "train" / "cat" / "c.jpg"
    broken.write_bytes(broken.read_bytes()[:-40])
    recipe = {
        "data": {"source": "folder", "path": str(folder), "image_size": [64, 64], "batch_size": 1},
        "model": {"backbone": "toy", "weights": None, "neck": {"channels": 8}},
        "balancing": {"method": "equal"},
        "training": {"epochs": 1, "verbose": 0},
    }
    (tmp_path / "mine.yaml").write_text(json.dumps(recipe))
    return tmp_path


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


@pytest.mark.slow
def test_a_training_ends_with_one_sentence_and_goes_on_once_the_file_is_mended(data, capsys, monkeypatch):
    monkeypatch.setattr(session, "finish", lambda *args: {})
    monkeypatch.setattr(callbacks.TensorBoard, "of_session", lambda given: [])
    assert run("train", data / "mine.yaml", "--run", data / "run") == 2
    said = capsys.readouterr().err
    assert said.startswith("visionmtl: Image '")
    assert SENTENCE in said
    assert said.count("\n") == 1
    assert f"Go on with: visionmtl train --resume {data / 'run'}" in said
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(data / "data" / "train" / "cat" / "c.jpg")
    assert run("train", "--resume", data / "run") == 0
    assert (data / "run" / "last.keras").is_file()


@pytest.mark.slow
def test_a_training_that_skips_says_so_at_the_end_of_the_epoch(data, capsys):
    assert run("train", data / "mine.yaml", "data.on_error=skip", "--run", data / "run") == 0
    said = capsys.readouterr().out
    (line,) = [line for line in said.splitlines() if line.startswith("Epoch 1: skipped 1 more")]
    assert SENTENCE in line
    assert "Skipped 1:" in said.split("Trained in")[1]


@pytest.mark.slow
def test_a_training_that_skips_all_it_has_is_not_told_to_skip(data, capsys):
    for file in (data / "data" / "train").rglob("*.jpg"):
        file.write_bytes(file.read_bytes()[:-40])
    assert run("train", data / "mine.yaml", "data.on_error=skip", "--run", data / "run") == 2
    said = capsys.readouterr().err
    assert "usable images, fewer than one batch of 1. The first of " in said
    assert f"Mend it. Go on with: visionmtl train --resume {data / 'run'}" in said


@pytest.mark.slow
def test_check_reads_everything(data, capsys):
    assert run("check", data / "mine.yaml") == 2
    assert SENTENCE in capsys.readouterr().err
    assert run("check", data / "mine.yaml", "data.on_error=skip") == 0
    assert "Skipped 1:" in capsys.readouterr().out


SCRIPT = """
import sys
import pipelines
from pipelines.samples import meeting

meeting.AT_ONCE = 0
data = pipelines.load("folder", (32, 32), 1, path=sys.argv[1], splits=["train"], cache=False)
import toys
from visionmtl import tasks
model = toys.model([tasks.from_spec(spec) for spec in data.specs])
model.compile("sgd")
batches = iter(data.train.repeat())
next(batches)
model.fit(data.train, epochs=5, verbose=0, shuffle=False)
"""


@pytest.mark.slow
def test_a_process_ends_after_a_broken_file_whatever_else_is_being_read(data):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["tests", os.getcwd()])}
    command = [sys.executable, "-c", SCRIPT, str(data / "data")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1].startswith("pipelines.errors.DataError: Image '")
