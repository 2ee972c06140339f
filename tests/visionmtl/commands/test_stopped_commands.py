"""SIGTERM and Ctrl-C end what measures and predicts with the documented status, and leave no file half written."""

import json
import os
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from visionmtl import cli, files, prediction, recipe, report
from visionmtl.prediction import finishing, merging, places
from visionmtl.training import building, measuring, runs

ENDS = [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "Ctrl-C")]


def sending(number, usual, at=1):
    """Return a function that does what another does, but at a call of it sends this process a signal before."""
    left = [at]

    def send(*given, **options):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), number)
        return usual(*given, **options)

    return send


def unfinished(folder):
    """The files that a writer did not come to the end of."""
    return [path for path in folder.rglob("*") if files.files.is_partial(path.name)]


@pytest.mark.parametrize(("number", "status", "name"), ENDS)
@pytest.mark.parametrize(
    ("owner", "part", "at", "kept"),
    [
        (measuring, "_measure", 1, False),
        (os, "replace", 1, False),
        (os, "replace", 2, False),
        (measuring, "_draw", 1, True),
        (report, "write", 1, True),
    ],
    ids=["measuring", "writing how many images there are", "writing the figures", "drawing", "writing the report"],
)
def test_evaluate_leaves_the_figures_of_before_or_all_of_the_new(
    owner, part, at, kept, number, status, name, tmp_path, monkeypatch, capsys
):
    run, new = runs.new(recipe.load("garments"), tmp_path / "run"), {"classification": {"accuracy": 0.5}}
    sizes, called = {"validation": 300}, lambda split, place: ""
    data = SimpleNamespace(splits={"validation": None}, accounts=(), sizes=sizes, called=called)
    runs.keep_metrics(run, {"test": new})
    monkeypatch.setattr(runs, "load_model", lambda path: (Blank(), None))
    monkeypatch.setattr(building, "data", lambda *args: data)
    monkeypatch.setattr(measuring, "_measure", lambda *args: new)
    monkeypatch.setattr(measuring, "_draw", lambda *args: None)
    monkeypatch.setattr(owner, part, sending(number, getattr(owner, part), at))
    assert cli.main(["evaluate", str(run)]) == status
    assert capsys.readouterr().err.splitlines()[-1] == f"visionmtl: stopped by {name}."
    assert json.loads((run / "metrics.json").read_text()) == {"test": new} | ({"validation": new} if kept else {})
    assert not unfinished(run)


class Blank:
    """A model without tasks, which predicts nothing."""

    tasks, image_size, weights, resize, confidences = {}, (8, 8), (), "stretch", {}

    def __call__(self, images, training=False):
        return {}

    def decode(self, outputs, size, window):
        return {}


@pytest.mark.parametrize(("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "Ctrl-C")])
@pytest.mark.parametrize(
    ("owner", "part", "at", "begun"),
    [
        (prediction.pictures.pictures, "inspect", 2, True),
        (files.png, "quick", 2, True),
        (os, "replace", 2, False),
        (os, "replace", 4, True),
    ],
    ids=["reading", "drawing", "naming what it predicts with", "naming a drawing"],
)
def test_predict_leaves_whole_pictures_alone_and_goes_on(
    owner, part, at, begun, number, name, tmp_path, monkeypatch, capsys
):
    for place in range(2):
        files.write_picture(tmp_path / f"{place}.png", np.full((8, 8, 3), 90, np.uint8))
    pictures, out = [str(tmp_path / f"{place}.png") for place in range(2)], tmp_path / "out"
    monkeypatch.setattr(runs, "load_model", lambda path: (Blank(), None))
    command = ["predict", "best.keras", *pictures, "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(owner, part, sending(number, getattr(owner, part), at))
        assert cli.main(command) == {"SIGTERM": 75 if begun else 143, "Ctrl-C": 130}[name]
    assert f"stopped by {name}" in capsys.readouterr().err
    for overlay in out.glob("overlays/*.png"):
        assert tf.io.decode_png(overlay.read_bytes()).shape[-1] == 3
    assert not unfinished(out)
    assert cli.main([*command, "--resume"]) == 0
    assert len((out / "predictions.jsonl").read_text().splitlines()) == 2
    assert len(list(out.glob("overlays/*.png"))) == 2


@pytest.mark.parametrize(("number", "status", "name"), ENDS)
def test_joining_shards_leaves_no_half_and_goes_on(number, status, name, tmp_path, monkeypatch, capsys):
    for place in range(2):
        files.write_picture(tmp_path / f"{place}.png", np.full((8, 8, 3), 90, np.uint8))
    pictures = [str(tmp_path / f"{place}.png") for place in range(2)]
    monkeypatch.setattr(runs, "load_model", lambda path: (Blank(), None))
    for shard in (1, 2):
        out = str(tmp_path / f"shard-{shard}")
        assert cli.main(["predict", "best.keras", *pictures, "--shard", f"{shard}/2", "--out", out]) == 0
    shards, whole = [str(tmp_path / f"shard-{shard}") for shard in (1, 2)], tmp_path / "whole"
    command = ["predict", "merge", *shards, "--out", str(whole)]
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copytree", sending(number, shutil.copytree, at=2))
        assert cli.main(command) == status
    assert f"stopped by {name}. Nothing was written." in capsys.readouterr().err
    assert not whole.exists()
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "finish", sending(number, finishing.finish))
        assert cli.main(command) == (75 if number == signal.SIGTERM else status)
    assert f"Go on with: visionmtl predict merge {whole}" in capsys.readouterr().err
    assert cli.main(["predict", "merge", str(whole)]) == 0
    assert len((whole / "predictions.jsonl").read_text().splitlines()) == len(list(whole.glob("overlays/*.png"))) == 2
    assert not unfinished(tmp_path)
    assert all(path.exists() for path in map(Path, shards)), "of another folder nothing is taken away"


@pytest.mark.parametrize(("number", "status", "name"), ENDS)
@pytest.mark.parametrize("at", [1, 2])
def test_joined_shards_are_removed_whatever_stops_it(at, number, status, name, tmp_path, monkeypatch, capsys):
    pictures, out = [str(tmp_path / f"{place}.png") for place in range(2)], tmp_path / "out"
    for picture in map(Path, pictures):
        files.write_picture(picture, np.full((8, 8, 3), 90, np.uint8))
    monkeypatch.setattr(runs, "load_model", lambda path: (Blank(), None))
    for shard in (1, 2):
        assert cli.main(["predict", "best.keras", *pictures, "--shard", f"{shard}/2", "--out", str(out)]) == 0
    command = ["predict", "merge", str(out)]

    def removed(path):
        path.unlink()
        gone(path)

    gone = sending(number, lambda path: None, at)
    with monkeypatch.context() as patch:
        patch.setattr(merging, "removed", removed)
        assert cli.main(command) == (75 if number == signal.SIGTERM else status)
    assert f"Go on with: visionmtl {' '.join(command)}" in capsys.readouterr().err
    left = [path.name for path in out.glob("predictions-*")]
    assert len(left) == 2 - at
    assert cli.main(command) == 0
    assert (", ".join(left) if left else "no shard is left") in capsys.readouterr().out
    assert [path.name for path in out.glob("predictions*")] == ["predictions.jsonl"]


def test_a_shard_that_says_something_new_is_not_removed_as_joined(tmp_path, capsys):
    files.write_picture(tmp_path / "a.png", np.full((8, 8, 3), 90, np.uint8))
    for shard in (None, places.Shard(1, 1)):
        prediction.predict(Blank(), [tmp_path / "a.png"], tmp_path / "out", shard=shard)
    new = tmp_path / "out" / "predictions-1-of-1.jsonl"
    new.write_text(new.read_text().replace('"width": 8', '"width": 9'))
    assert cli.main(["predict", "merge", str(tmp_path / "out")]) == 0
    assert '"width": 9' in (tmp_path / "out" / "predictions.jsonl").read_text()
